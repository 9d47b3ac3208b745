/** A host process with no wall but Node's own: its permission flags, and limits on memory, files and core dumps. */
import { dirname } from "node:path";
import { permissionFlag } from "../permission-flags.js";
import type { RuntimeFolder } from "./runtime-folder.js";
import type { WallCommand } from "./wall.js";

/** Sets limits that the kernel keeps, then becomes the command: same process. A limit that is already lower stays. */
export const LIMITED =
  'ulimit -c 0; ulimit -f 0; ulimit -n 1024 2>/dev/null; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';

/** Node's own arguments inside: `root` is where the runtime folder stands there. */
export function nodeArguments(root: string, folder: RuntimeFolder, flags: boolean): readonly string[] {
  const entry = `${root}${folder.entry.slice(folder.path.length)}`;
  const permissions = flags ? [permissionFlag(), `--allow-fs-read=${root}/*`, "--allow-worker"] : [];
  return [...permissions, "--no-warnings", "--max-old-space-size=128", entry];
}

/** `flags`: with Node's permission flags. */
export function nodeCommand(folder: RuntimeFolder, dataMb: number, flags: boolean): WallCommand {
  const inside = [folder.node, ...nodeArguments(folder.path, folder, flags)];
  return {
    command: "/bin/sh",
    args: ["-c", LIMITED, "sh", String(dataMb * 1024), ...inside],
    tellsPid: false,
  };
}

/** Where the runtime folder's parent stands, for messages. */
export function folderOf(folder: RuntimeFolder): string {
  return dirname(folder.path);
}
