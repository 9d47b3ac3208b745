/** A host process with no wall but Node's own: its permission flags, and limits on memory, files and core dumps. */
import { permissionFlag } from "../../protocol/permission-flag.js";
import type { RuntimeFolder } from "./runtime-folder.js";
import type { Trial, WallCommand } from "./wall.js";

/** Sets limits that the kernel keeps, then becomes the command: same process. A limit that is already lower stays. */
export const LIMITED =
  'ulimit -c 0; ulimit -f 0; ulimit -n 1024 2>/dev/null; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';

/**
 * Newer engines reserve the room for compiled code as writable memory, in mebibytes, 512 for the main thread and more for each
 * worker: it counts towards the limit, and no plugin can have it.
 */
const CODE_RANGE_MB = Number(process.versions.node.split(".", 1)[0]) > 20 ? 640 : 0;

/** The limit on writable memory as the shell takes it, in kibibytes: what a host process may have beyond what V8 reserves. */
export function dataLimit(dataMb: number): string {
  return String((dataMb + CODE_RANGE_MB) * 1024);
}

/**
 * What is run inside: `node` and `root` are where Node and the runtime folder stand there; `flags`: the wall has Node's
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

/** What a wall of Node's own is made of. */
export interface NodeWall {
  /** Node's permission flags. */
  readonly flags: boolean;
  /** An account without rights; absent: the platform's own. */
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
    // Newer Nodes let a worker read what lies below its process's working folder, whatever its permission flags say.
    cwd: folder.path,
    ...(account === undefined ? {} : { account }),
    tellsPid: false,
  };
}
