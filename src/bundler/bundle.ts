/** Bundles a plugin into one script for the sandbox: the platform's side, which reads none of the plugin's files. */
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
  /** Absolute folder of the plugin, or of the file that is the plugin. */
  readonly root: string;
  /** Absolute path of the entry file. */
  readonly entry: string;
  /** True for a plugin that is one file: it may load only itself, `root/node_modules/**` and `bulkhead/plugin`. */
  readonly single: boolean;
  /** Milliseconds, counted from when a bundler process is available. Default: `BUNDLER.bundleMs`. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A bundled plugin. */
export interface Bundle {
  /** A script that defines `var __plugin__` (`PLUGIN_GLOBAL`), the exports of the plugin's entry file. ASCII. */
  readonly code: string;
  /** JSON; its sources are relative to the plugin's folder, without their contents. */
  readonly sourceMap: string;
  /** Sorted by path, without the runtime's own files: what {@link pluginDigest} covers. */
  readonly files: readonly BundledFile[];
  /** Hex sha256 of how they import each other; absent if none does. */
  readonly imports?: string;
  /** The Node modules it imports, sorted, without `node:`; absent for none. */
  readonly nodeModules?: readonly string[];
}

/**
 * Bundles a plugin in a process of its own, which has ended when the promise settles. Throws `ERR_PLUGIN_FILE`,
 * `ERR_PLUGIN_SIZE`, `ERR_PLUGIN_SYNTAX`, `ERR_PLUGIN_IMPORT`, `ERR_BUNDLE_FAILED` (with the author's `file` and `line` if known),
 * or `ERR_CALL_ABORTED`.
 */
export async function bundlePlugin(request: BundleRequest): Promise<Bundle> {
  return through ? through(request, bundle) : bundle(request);
}

type Bundling = (request: BundleRequest) => Promise<Bundle>;
let through: ((request: BundleRequest, real: Bundling) => Promise<Bundle>) | undefined;

/** Passes all requests to `other` from now on, with the real bundler; for tests. No spare is started then. */
export function bundleThrough(other: (request: BundleRequest, real: Bundling) => Promise<Bundle>): void {
  through = other;
}

async function bundle(request: BundleRequest): Promise<Bundle> {
  const { plugin, root, entry, single, deadline = BUNDLER.bundleMs, signal } = request;
  const release = await acquireSlot();
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
/** Starts the next spare, or ends an unused one. */
let timer: NodeJS.Timeout | undefined;

/**
 * Starts a spare bundler process. It ends after `BUNDLER.aheadMs` without use, and does not keep the platform's process running.
 * Idempotent.
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
    // The next bundle reports the error.
    spare = undefined;
  }
}

/** Starts a spare a little later: a host that has loaded a plugin often loads another. */
export function keepBundlerAhead(): void {
  clearTimeout(timer);
  timer = setTimeout(prepareBundler, BUNDLER.afterMs).unref();
}

/** Ends an unused spare. */
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

/** Acquires one of {@link BUNDLER.atOnce} slots. Returns a function that releases it. */
async function acquireSlot(): Promise<() => void> {
  if (running < BUNDLER.atOnce) running++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  return () => {
    const next = waiting.shift();
    if (next) next();
    else running--;
  };
}

/** Creates the error for a plugin that the bundler refused. */
export function refusal(plugin: string, { code, message, file, line }: Failure, stderr: string): DriverError {
  const why = code === "ERR_BUNDLE_FAILED" ? reason(stderr) : "";
  return new DriverError(code, `plugin "${plugin}": ${why}${message}`, { plugin, file, line });
}

/** Creates the error for a missing or invalid reply. */
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
        ? `the bundler sent an invalid reply: ${shown(outcome.why)}`
        : `${reason(stderr)}the bundler ended without a reply (${shown(outcome.how)})`;
  return new DriverError("ERR_BUNDLE_FAILED", `plugin "${plugin}": ${what}; ${SIMPLER}`, { plugin });
}

/** Guesses the reason of a crash from standard error. */
function reason(stderr: string): string {
  if (/stack overflow|stack exceeds/.test(stderr)) return "the code is nested too deeply: ";
  if (/out of memory|OutOfMemory|cannot allocate/i.test(stderr))
    return `it takes more than ${BUNDLER.dataMb} MiB to bundle: `;
  return "";
}
