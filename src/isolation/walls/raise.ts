/** Raises the wall that a policy demands, after a trial run of bubblewrap; if it cannot be raised, the error says what to do. */

import type { Readable } from "node:stream";
import { isMainThread } from "node:worker_threads";
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import { THREADS, WALLS } from "../limits.js";
import { serviceAccount } from "./account.js";
import { bubblewrapCommand } from "./bubblewrap.js";
import { type NodeWall, nodeCommand } from "./node-wall.js";
import { type OrphanReaper, startOrphanReaper } from "./orphan-reaper.js";
import { acquireRuntimeFolder, type RuntimeFolder, releaseRuntimeFolder } from "./runtime-folder.js";
import { startBehind } from "./start.js";
import type { SandboxPolicy, Wall, WallCommand } from "./wall.js";

/** Raises a wall. Throws `ERR_ISOLATION_UNAVAILABLE`, whose message names `policyFile`. */
export async function raiseWall(demanded: SandboxPolicy, policyFile: string | undefined): Promise<Wall> {
  refuseInsideThread();
  let folder: RuntimeFolder;
  try {
    folder = acquireRuntimeFolder();
  } catch (error) {
    throw unavailable(`the runtime folder cannot be made: ${text(error)}`);
  }
  let reaper: OrphanReaper | undefined;
  try {
    if (demanded === "none") return plainWall(folder, "none", [ASKED_FOR], { flags: false });
    if (demanded === "node") return await nodeWall(folder, ASKED_FOR);
    const tried = await tryBubblewrap(folder);
    reaper = tried.reaper;
    if (tried.failure === undefined) return bubblewrapWall(folder, reaper);
    reaper?.release();
    if (demanded === "auto") return await nodeWall(folder, tried.failure);
    throw unavailable(
      `bubblewrap, which the policy demands, cannot be raised: ${tried.failure}; or weaken the wall knowingly: ${weakerLine(policyFile)}`,
    );
  } catch (error) {
    reaper?.release();
    releaseRuntimeFolder();
    throw error;
  }
}

/** Throws in a worker thread: a walled host process dies with the thread that started it. */
export function refuseInsideThread(): void {
  if (isMainThread) return;
  throw unavailable(
    'host processes are started from a process\'s main thread only, and this is a worker thread: create the host in the main thread, or use isolation: "thread" for plugins you trust',
  );
}

function bubblewrapWall(folder: RuntimeFolder, reaper: OrphanReaper | undefined): Wall {
  const lacks = folder.filter === undefined ? [`no filter of system calls is known for ${process.arch}`] : [];
  return {
    name: "bubblewrap",
    lacks,
    command: (dataMb, trial) => bubblewrapCommand(folder, dataMb, trial),
    release: releaseOnce(reaper),
  };
}

/** The reason given for a weaker wall where nothing failed. */
export const ASKED_FOR = "the policy does not ask for more";

/** Raises Node's wall. Under a root platform, host processes run as another account if a trial succeeds. */
async function nodeWall(folder: RuntimeFolder, why: string): Promise<Wall> {
  let failure: string;
  try {
    const account = serviceAccount();
    const parts = { flags: true, account };
    if (account === undefined) return plainWall(folder, "node", [why], parts);
    const trial = nodeCommand(folder, WALLS.dataMbDedicated, parts, reads(folder.entry));
    const { signal, stdout, stderr } = await run(trial, READS);
    if (signal === "SIGKILL" && stdout.includes(READS)) return plainWall(folder, "node", [why], parts);
    failure = lastLine(stderr);
  } catch (error) {
    failure = text(error);
  }
  const root = `host processes run as root: a trial under another account failed: ${failure}`;
  return plainWall(folder, "node", [why, root], { flags: true });
}

const READS = "it reads";

/** Returns Node arguments for a trial: it prints `READS` if it can read `file`, then waits five seconds to be killed. */
function reads(file: string): readonly string[] {
  const code = `require("node:fs").accessSync(process.argv[1]); console.log(${JSON.stringify(READS)}); setTimeout(() => {}, 5000);`;
  return ["-e", code, file];
}

function plainWall(folder: RuntimeFolder, name: "node" | "none", lacks: readonly string[], parts: NodeWall): Wall {
  return {
    name,
    lacks,
    command: (dataMb, trial) => nodeCommand(folder, dataMb, parts, trial),
    release: releaseOnce(),
  };
}

function releaseOnce(reaper?: OrphanReaper): () => void {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    reaper?.release();
    releaseRuntimeFolder();
  };
}

/** Returns a hint: the policy line that accepts the strongest wall available. */
function weakerLine(policyFile: string | undefined): string {
  return `"sandbox": "auto" in ${policyFile ?? "the policy"} accepts the strongest wall available here, and the log names it`;
}

interface Tried {
  /** Why it cannot be raised, and what to install; undefined: it can. */
  readonly failure?: string;
  readonly reaper?: OrphanReaper;
}

/** Runs Node once behind bubblewrap. */
async function tryBubblewrap(folder: RuntimeFolder): Promise<Tried> {
  if (process.platform !== "linux") return { failure: `it needs Linux, this is ${process.platform}` };
  let command: WallCommand;
  try {
    command = bubblewrapCommand(folder, WALLS.dataMbDedicated, ["--version"]);
  } catch (error) {
    return { failure: text(error) };
  }
  try {
    const reaper = startOrphanReaper(folder.path, command.account);
    const failure = whyNot(await run(command));
    return failure === undefined ? { reaper } : { reaper, failure };
  } catch (error) {
    return { failure: text(error) };
  }
}

function whyNot({ code, stdout, stderr }: Ran): string | undefined {
  if (code === 0 && stdout.startsWith("v")) return undefined;
  // 126: root's PATH starts with a folder that the service account may not search, and no other folder has bwrap.
  if (code === 127 || code === 126 || /not found/.test(stderr))
    return `there is no "bwrap" on PATH${code === 126 ? " that its account may start" : ""}; install it (Debian: apt-get install bubblewrap)`;
  const words = lastLine(stderr);
  return `bwrap failed (exit ${code}): ${words}${remedy(words)}`;
}

/** Returns the remedy for a known bubblewrap message, or "". */
function remedy(words: string): string {
  if (/namespace|permitted/i.test(words))
    return "; allow unprivileged user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 (whichever of the two exists)";
  if (/unknown option/i.test(words)) return "; it is too old: bubblewrap 0.8 or later is required";
  return "";
}

interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command, and kills it (SIGKILL) once it has printed `until`. */
function run(wall: WallCommand, until?: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = startBehind(wall, { stdout: "pipe", link: false });
    const late = setTimeout(() => child.kill("SIGKILL"), THREADS.readyMs);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      stdout = (stdout + part).slice(0, WALLS.stderrBytes);
      if (until !== undefined && stdout.includes(until)) child.kill("SIGKILL");
    });
    child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      stderr = (stderr + part).slice(0, WALLS.stderrBytes);
    });
    (child.stdio[4] as Readable | null | undefined)?.resume();
    child.once("error", (error) => {
      clearTimeout(late);
      // The platform does not wait for a process that it could not kill.
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ code: null, signal: null, stdout, stderr: error.message });
    });
    child.once("close", (code, signal) => {
      clearTimeout(late);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

function unavailable(message: string): DriverError {
  return new DriverError("ERR_ISOLATION_UNAVAILABLE", message);
}

function lastLine(stderr: string): string {
  return stderr.trim().split("\n").at(-1) || "it printed nothing";
}

function text(error: unknown): string {
  return messageOf(error);
}
