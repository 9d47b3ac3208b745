/** Raises the wall that a policy demands: tried for real, once; where it cannot stand, the error says what to do about it. */
import type { Readable } from "node:stream";
import { isMainThread } from "node:worker_threads";
import { DriverError } from "../../driverapi/errors.js";
import { TIMES, WALLS } from "../../protocol/limits.js";
import { bubblewrapCommand } from "./bubblewrap.js";
import { type Keeper, keep } from "./keeper.js";
import { nodeCommand } from "./node-wall.js";
import { acquireRuntimeFolder, type RuntimeFolder, releaseRuntimeFolder } from "./runtime-folder.js";
import { startBehind } from "./start.js";
import type { SandboxPolicy, Wall, WallCommand } from "./wall.js";

/** Throws `ERR_ISOLATION_UNAVAILABLE`; `policyFile` is for its words. */
export async function raiseWall(demanded: SandboxPolicy, policyFile: string | undefined): Promise<Wall> {
  refuseInsideThread();
  let folder: RuntimeFolder;
  try {
    folder = acquireRuntimeFolder();
  } catch (error) {
    throw unavailable(`the runtime folder cannot be made: ${text(error)}`);
  }
  let keeper: Keeper | undefined;
  try {
    if (demanded === "none" || demanded === "node") return plainWall(folder, demanded);
    const tried = await tryBubblewrap(folder);
    keeper = tried.keeper;
    if (tried.failure === undefined) return bubblewrapWall(folder, keeper);
    keeper?.release();
    if (demanded === "auto") return plainWall(folder, "node", tried.failure);
    throw unavailable(
      `bubblewrap, which the policy demands, cannot be raised: ${tried.failure}; or weaken the wall knowingly: ${weakerLine(policyFile)}`,
    );
  } catch (error) {
    keeper?.release();
    releaseRuntimeFolder();
    throw error;
  }
}

/** A walled host process dies with the thread that started it, so a platform's worker thread may not start one. */
export function refuseInsideThread(): void {
  if (isMainThread) return;
  throw unavailable(
    'host processes are started from a process\'s main thread only, and this is a worker thread: create the host in the main thread, or use isolation: "thread" for plugins you trust',
  );
}

function bubblewrapWall(folder: RuntimeFolder, keeper: Keeper | undefined): Wall {
  const lacks = folder.filter === undefined ? [`no filter of system calls is known for ${process.arch}`] : [];
  return {
    name: "bubblewrap",
    lacks,
    command: (dataMb, trial) => bubblewrapCommand(folder, dataMb, trial),
    release: releaseOnce(keeper),
  };
}

/** Why a weaker wall stands where nothing failed. */
export const ASKED_FOR = "the policy asks for no more";

function plainWall(folder: RuntimeFolder, name: "node" | "none", why?: string): Wall {
  const lacks = [why ?? ASKED_FOR];
  return {
    name,
    lacks,
    command: (dataMb, trial) => nodeCommand(folder, dataMb, name === "node", trial),
    release: releaseOnce(),
  };
}

function releaseOnce(keeper?: Keeper): () => void {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    keeper?.release();
    releaseRuntimeFolder();
  };
}

/** The line of a policy that takes what there is. */
function weakerLine(policyFile: string | undefined): string {
  return `"sandbox": "auto" in ${policyFile ?? "the policy"} takes the strongest wall there is here, and says which`;
}

interface Tried {
  /** Why it does not stand, and what to install; undefined: it stands. */
  readonly failure?: string;
  readonly keeper?: Keeper;
}

/** Runs Node once behind it. */
async function tryBubblewrap(folder: RuntimeFolder): Promise<Tried> {
  if (process.platform !== "linux") return { failure: `it needs Linux, this is ${process.platform}` };
  let command: WallCommand;
  try {
    command = bubblewrapCommand(folder, WALLS.dataMbDedicated, ["--version"]);
  } catch (error) {
    return { failure: text(error) };
  }
  try {
    const keeper = keep(folder.path, command.account);
    const failure = whyNot(await run(command));
    return failure === undefined ? { keeper } : { keeper, failure };
  } catch (error) {
    return { failure: text(error) };
  }
}

function whyNot({ code, stdout, stderr }: Ran): string | undefined {
  if (code === 0 && stdout.startsWith("v")) return undefined;
  // 126: a folder of root's PATH that the service account may not search comes first, and no other holds it.
  if (code === 127 || code === 126 || /not found/.test(stderr))
    return `there is no "bwrap" on PATH${code === 126 ? " that its account may start" : ""}; install it (Debian: apt-get install bubblewrap)`;
  const words = stderr.trim().split("\n").at(-1) ?? "";
  return `bwrap failed (exit ${code}): ${words || "without a word"}${/namespace|permitted/i.test(words) ? "; unprivileged user namespaces must be allowed (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)" : ""}`;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(wall: WallCommand): Promise<Ran> {
  return new Promise((resolve) => {
    const child = startBehind(wall, { stdout: "pipe", link: false });
    const late = setTimeout(() => child.kill("SIGKILL"), TIMES.spareReady);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      stdout = (stdout + part).slice(0, WALLS.stderrBytes);
    });
    child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      stderr = (stderr + part).slice(0, WALLS.stderrBytes);
    });
    (child.stdio[4] as Readable | null | undefined)?.resume();
    child.once("error", (error) => {
      clearTimeout(late);
      resolve({ code: null, stdout, stderr: error.message });
    });
    child.once("close", (code) => {
      clearTimeout(late);
      resolve({ code, stdout, stderr });
    });
  });
}

function unavailable(message: string): DriverError {
  return new DriverError("ERR_ISOLATION_UNAVAILABLE", message);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
