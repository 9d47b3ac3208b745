/**
 * A host process under bubblewrap: namespaces of its own (user, network, processes, IPC, host name, mounts), a file system
 * that holds Node, its libraries and the runtime's code, no capability, no new sockets or processes, an account without rights.
 */
import { closeSync, openSync, readFileSync, readSync, realpathSync } from "node:fs";
import { serviceAccount } from "./account.js";
import { dataLimit, insideArguments, LIMITED } from "./node-wall.js";
import type { RuntimeFolder } from "./runtime-folder.js";
import type { Trial, WallCommand } from "./wall.js";

/** Where the runtime folder stands inside. */
const INSIDE = "/bulkhead";
const NODE_INSIDE = "/usr/bin/node";
/** Private and empty: nothing is written to it. */
const TMP_BYTES = 1_048_576;

/** The command of one host process, or of a trial in its place: Node's arguments are one too. */
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
    // Private is not enough: a folder made in memory is kernel memory that no limit counts.
    ...["--remount-ro", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"],
    // Newer Nodes let a worker read what lies below its process's working folder, whatever its permission flags say.
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

/** The libraries this very Node runs with, each with the name the loader looks for; and the loader itself. */
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

/** The loader that an ELF file names (PT_INTERP); its text stands near the file's beginning. */
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
