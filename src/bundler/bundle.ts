/**
 * From an author's file to one script that the sandbox can evaluate: the platform's side, which reads no file of a
 * plugin.
 */
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { BundlerProcess, type Outcome } from "./bundler-process.js";
import { BUNDLER } from "./limits.js";
import { type BundledFile, type Failure, SIMPLER, shown } from "./messages.js";

export type { BundledFile } from "./messages.js";

/** Which plugin to bundle. */
export interface BundleRequest {
  /** Its id, for messages. */
  readonly plugin: string;
  /** Absolute folder of the plugin; for a bare file, the folder the file stands in. */
  readonly root: string;
  /** Absolute path of the entry file. */
  readonly entry: string;
  /** A bare file: may load only itself, `root/node_modules/**`, and `bulkhead/plugin`. */
  readonly single: boolean;
  /** Milliseconds from the moment a bundler process is free for it. Default: `BUNDLER.bundleMs`. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A bundled plugin. */
export interface Bundle {
  /** A script that defines `var __plugin__` (`PLUGIN_GLOBAL`), the exports of the plugin's entry file. ASCII. */
  readonly code: string;
  /** JSON; its sources are relative to the plugin's folder, without their contents. */
  readonly sourceMap: string;
  /** Sorted by path, without the runtime's own: what {@link pluginDigest} covers. */
  readonly files: readonly BundledFile[];
  /** Hex sha256 of how they import each other; absent where none does. */
  readonly imports?: string;
  /** Which of Node's modules it imports, sorted, without `node:`; absent for none. */
  readonly nodeModules?: readonly string[];
}

/**
 * Bundles a plugin in a process of its own; nothing is left running when the promise settles.
 * Throws `DriverError` with `plugin` and, where there is one, the author's `file` and `line`:
 * `ERR_PLUGIN_FILE`, `ERR_PLUGIN_SIZE`, `ERR_PLUGIN_SYNTAX`, `ERR_PLUGIN_IMPORT`, `ERR_BUNDLE_FAILED`;
 * `ERR_CALL_ABORTED`.
 */
export async function bundlePlugin(request: BundleRequest): Promise<Bundle> {
  return through ? through(request, bundle) : bundle(request);
}

type Bundling = (request: BundleRequest) => Promise<Bundle>;
let through: ((request: BundleRequest, real: Bundling) => Promise<Bundle>) | undefined;

/** Lets `other` answer requests from now on, with the real bundler at hand; for tests. No bundler is started ahead then. */
export function bundleThrough(other: (request: BundleRequest, real: Bundling) => Promise<Bundle>): void {
  through = other;
}

async function bundle(request: BundleRequest): Promise<Bundle> {
  const { plugin, root, entry, single, deadline = BUNDLER.bundleMs, signal } = request;
  const release = await turn();
  try {
    if (signal?.aborted) throw failure(plugin, { kind: "aborted" }, deadline, "");
    const bundler = takeSpare() ?? started(plugin);
    let outcome: Outcome;
    try {
      outcome = await bundler.ask({ root, entry, single }, deadline, signal);
    } finally {
      await bundler.end();
    }
    if (outcome.kind !== "answer") throw failure(plugin, outcome, deadline, bundler.stderr);
    if (!outcome.answer.ok) throw refusal(plugin, outcome.answer, bundler.stderr);
    const { ok: _, ...made } = outcome.answer;
    return made;
  } finally {
    release();
  }
}

function started(plugin: string): BundlerProcess {
  try {
    return new BundlerProcess();
  } catch (error) {
    const why = messageOf(error);
    throw new DriverError("ERR_BUNDLE_FAILED", `plugin "${plugin}": ${why}`, { plugin });
  }
}

let spare: BundlerProcess | undefined;
/** When the next one is started, or goes again. */
let timer: NodeJS.Timeout | undefined;

/**
 * Starts a bundler process ahead, for the next bundle. It goes when nobody has used it for `BUNDLER.aheadMs`, and keeps no platform's
 * process running; harmless to repeat.
 */
export function prepareBundler(): void {
  clearTimeout(timer);
  if (through) return;
  timer = setTimeout(() => void releaseBundler(), BUNDLER.aheadMs).unref();
  if (spare?.alive) return;
  try {
    spare = new BundlerProcess();
    spare.hold(false);
  } catch {
    // Whoever needs one will be told.
    spare = undefined;
  }
}

/** Who has loaded a plugin often loads another: the next bundler is started once what has just been bundled is under way. */
export function keepBundlerAhead(): void {
  clearTimeout(timer);
  timer = setTimeout(prepareBundler, BUNDLER.afterMs).unref();
}

/** Ends what was started ahead and nobody used. */
export async function releaseBundler(): Promise<void> {
  clearTimeout(timer);
  const unused = spare;
  spare = undefined;
  await unused?.end();
}

function takeSpare(): BundlerProcess | undefined {
  const taken = spare;
  spare = undefined;
  if (!taken?.alive) return undefined;
  taken.hold(true);
  return taken;
}

const waiting: Array<() => void> = [];
let running = 0;

/** Waits for one of {@link BUNDLER.atOnce} turns; call what it gives to pass it on. */
async function turn(): Promise<() => void> {
  if (running < BUNDLER.atOnce) running++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  return () => {
    const next = waiting.shift();
    if (next) next();
    else running--;
  };
}

/** A plugin's fault, as the bundler process found it. */
function refusal(plugin: string, { code, message, file, line }: Failure, stderr: string): DriverError {
  const why = code === "ERR_BUNDLE_FAILED" ? reason(stderr) : "";
  return new DriverError(code, `plugin "${plugin}": ${why}${message}`, { plugin, file, line });
}

/** No answer, or no valid one. */
function failure(
  plugin: string,
  outcome: Exclude<Outcome, { kind: "answer" }>,
  deadline: number,
  stderr: string,
): DriverError {
  if (outcome.kind === "aborted") {
    return new DriverError("ERR_CALL_ABORTED", `plugin "${plugin}": its caller aborted the bundling`, { plugin });
  }
  const what =
    outcome.kind === "deadline"
      ? `bundling did not end within ${deadline} ms and was stopped`
      : outcome.kind === "nonsense"
        ? `the bundler gave no valid answer: ${shown(outcome.why)}`
        : `${reason(stderr)}the bundler ended without an answer (${shown(outcome.how)})`;
  return new DriverError("ERR_BUNDLE_FAILED", `plugin "${plugin}": ${what}; ${SIMPLER}`, { plugin });
}

/** What a crash was about, where standard error tells. */
function reason(stderr: string): string {
  if (/stack overflow|stack exceeds/.test(stderr)) return "the code is nested too deeply: ";
  if (/out of memory|OutOfMemory|cannot allocate/i.test(stderr))
    return `it takes more than ${BUNDLER.dataMb} MiB to bundle: `;
  return "";
}
