/**
 * A host process under bubblewrap: its own namespaces (user, network, PID, IPC, host name, mount), a file system that holds
 * only Node, its libraries and the runtime's code, no capabilities, no new sockets or processes, and an unprivileged account.
 */
import { closeSync, openSync, readFileSync, readSync, realpathSync } from "node:fs";
import { serviceAccount } from "./account.js";
import { dataLimit, insideArguments, LIMITED } from "./node-wall.js";
import type { RuntimeFolder } from "./runtime-folder.js";
import type { Trial, WallCommand } from "./wall.js";

/** Path of the runtime folder inside the wall. */
const INSIDE = "/bulkhead";
const NODE_INSIDE = "/usr/bin/node";
/** Size of /tmp, which is private and stays empty. */
const TMP_BYTES = 1_048_576;

/** Returns the command of one host process, or of a trial in its place: a trial may also be Node's own arguments. */
export function bubblewrapCommand(
  folder: RuntimeFolder,
  dataMb: number,
  trial?: Trial | readonly string[],
): WallCommand {
  const account = serviceAccount();
  const args = [
    ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL"],
    ...["--hostname", "bulkhead", "--info-fd", "4"],
    ...(folder.filter === undefined ? [] : ["--seccomp", "5"]),
    ...["--ro-bind", folder.node, NODE_INSIDE],
    ...sharedObjects().flatMap(([from, to]) => ["--ro-bind", from, to]),
    ...["--ro-bind", folder.path, INSIDE],
    ...["--proc", "/proc", "--dev", "/dev", "--size", String(TMP_BYTES), "--tmpfs", "/tmp"],
    // A private mount is not enough: a folder created in memory is kernel memory that no limit counts.
    ...["--remount-ro", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"],
    // Newer Node versions let a worker read files below its process's working folder, whatever its permission flags say.
    ...["--chdir", INSIDE, "--"],
    ...insideArguments(NODE_INSIDE, INSIDE, folder, true, trial),
  ];
  return {
    command: "/bin/sh",
    args: ["-c", LIMITED, "sh", dataLimit(dataMb), "bwrap", ...args],
    ...(account === undefined ? {} : { account }),
    ...(folder.filter === undefined ? {} : { filter: folder.filter }),
    tellsPid: true,
  };
}

let objects: readonly (readonly [from: string, to: string])[] | undefined;

/** Lists the libraries that this Node runs with, each under the name that the loader looks for, and the loader itself. */
function sharedObjects(): readonly (readonly [from: string, to: string])[] {
  if (objects) return objects;
  const mapped = readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .map((line) => /\s(\/\S+)$/.exec(line)?.[1])
    .filter((path): path is string => path !== undefined && /^\/(usr\/|usr\/local\/)?lib\S*\.so(\.|$)/.test(path));
  const pairs = [...new Set(mapped)].map((path) => [path, path.replace(/(\.so\.\d+)[.\d]*$/, "$1")] as const);
  const loader = interpreter(process.execPath);
  objects = loader === undefined ? pairs : [...pairs.filter(([, to]) => to !== loader), [realpathSync(loader), loader]];
  return objects;
}

/** Returns the loader that an ELF file names (PT_INTERP); its text is near the file's beginning. */
function interpreter(path: string): string | undefined {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(8192);
    readSync(file, head, 0, head.length, 0);
    return /\/lib[\w/.-]*\/ld-[\w.-]+/.exec(head.toString("latin1"))?.[0];
  } finally {
    closeSync(file);
  }
}
