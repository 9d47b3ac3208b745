/** A host process behind Node's own wall alone: its permission flags, and limits on memory, files and core dumps. */
import { permissionFlag } from "../../protocol/permission-flag.js";
import type { RuntimeFolder } from "./runtime-folder.js";
import type { Trial, WallCommand } from "./wall.js";

/** Sets limits that the kernel enforces, then becomes the command: same process. A limit that is already lower stays. */
export const LIMITED =
  'ulimit -c 0; ulimit -f 0; ulimit -n 1024 2>/dev/null; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';

/**
 * Newer engines reserve room for compiled code as writable memory, in mebibytes: 512 for the main thread and more for each
 * worker. It counts towards the limit, but plugins cannot use it.
 */
const CODE_RANGE_MB = Number(process.versions.node.split(".", 1)[0]) > 20 ? 640 : 0;

/** Returns the limit on writable memory in kibibytes, as the shell takes it: `dataMb` beyond what V8 reserves. */
export function dataLimit(dataMb: number): string {
  return String((dataMb + CODE_RANGE_MB) * 1024);
}

/**
 * Returns the command run inside. `node` and `root`: paths of Node and the runtime folder there; `flags`: add Node's
 * permission flags. A trial may also be Node's own arguments.
 */
export function insideArguments(
  node: string,
  root: string,
  folder: RuntimeFolder,
  flags: boolean,
  trial?: Trial | readonly string[],
): readonly string[] {
  if (isArguments(trial)) return [node, ...trial];
  const file = `${root}/${trial?.file ?? folder.entry.slice(folder.path.length + 1)}`;
  if (trial?.as === "program") return [file];
  const permissions =
    flags && trial?.as !== "bare" ? [permissionFlag(), `--allow-fs-read=${root}/*`, "--allow-worker"] : [];
  return [node, ...permissions, "--no-warnings", "--max-old-space-size=128", file];
}

function isArguments(trial: Trial | readonly string[] | undefined): trial is readonly string[] {
  return Array.isArray(trial);
}

/** The parts of a wall of Node's own. */
export interface NodeWall {
  /** Node's permission flags. */
  readonly flags: boolean;
  /** An unprivileged account; absent: the platform's own. */
  readonly account?: WallCommand["account"];
}

export function nodeCommand(
  folder: RuntimeFolder,
  dataMb: number,
  { flags, account }: NodeWall,
  trial?: Trial | readonly string[],
): WallCommand {
  const inside = insideArguments(folder.node, folder.path, folder, flags, trial);
  return {
    command: "/bin/sh",
    args: ["-c", LIMITED, "sh", dataLimit(dataMb), ...inside],
    // Newer Node versions let a worker read files below its process's working folder, whatever its permission flags say.
    cwd: folder.path,
    ...(account === undefined ? {} : { account }),
    tellsPid: false,
  };
}
