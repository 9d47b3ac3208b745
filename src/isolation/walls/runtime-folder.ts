/**
 * What a host process may read: the runtime's own code, and Node. Its account often cannot read where they are installed
 * (under /root, say), so the code is copied to a world-readable folder, and Node too where necessary.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { seccompFilter } from "./seccomp.js";

export interface RuntimeFolder {
  readonly path: string;
  /** The host process's entry, inside `path`. */
  readonly entry: string;
  /** A Node binary that every account can execute. */
  readonly node: string;
  /** The compiled seccomp filter; undefined where none exists for this architecture. */
  readonly filter: string | undefined;
}

const DIST = fileURLToPath(new URL("../..", import.meta.url));
const PREFIX = "bulkhead-runtime-";
/** Paths inside the folder, laid out as in the package: the code finds its parts relative to itself. */
const ENTRY = "dist/isolation/host-process.mjs";
const BOOTSTRAP = "dist/worker/bootstrap.cjs";

let made: RuntimeFolder | undefined;
let users = 0;

/** Returns this process's folder, created on first use. Every call needs a matching `releaseRuntimeFolder`. */
export function acquireRuntimeFolder(): RuntimeFolder {
  made ??= make();
  users++;
  return made;
}

/** Removes the folder when its last user has released it. */
export function releaseRuntimeFolder(): void {
  if (--users > 0 || made === undefined) return;
  rmSync(made.path, { recursive: true, force: true });
  made = undefined;
}

function make(): RuntimeFolder {
  const base = [tmpdir(), "/tmp", "/var/tmp", "/run"].find(reachable) ?? tmpdir();
  removeStale(base);
  const path = mkdtempSync(join(realpathSync(base), `${PREFIX}${process.pid}-${pidNamespace()}`));
  try {
    chmodSync(path, 0o755);
    copy(join(DIST, "isolation/host-process.mjs"), join(path, ENTRY));
    copy(join(DIST, "worker/bootstrap.cjs"), join(path, BOOTSTRAP));
    const piscina = dirname(dirname(createRequire(import.meta.url).resolve("piscina")));
    cpSync(piscina, join(path, "node_modules/piscina"), {
      recursive: true,
      filter: (from) => !/\/(node_modules|test|docs|benchmark|examples)$/.test(from) && !/\.(map|ts|md)$/.test(from),
    });
    const bytes = seccompFilter();
    const filter = bytes === undefined ? undefined : join(path, "seccomp.bpf");
    if (bytes !== undefined && filter !== undefined) writeFileSync(filter, bytes);
    openUp(path);
    return { path, entry: join(path, ENTRY), node: readableNode(path), filter };
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Makes files readable by all and writable by the owner only, whatever the umask and the package's modes are. */
function openUp(path: string): void {
  const folder = lstatSync(path).isDirectory();
  chmodSync(path, folder ? 0o755 : 0o644);
  if (folder) for (const name of readdirSync(path)) openUp(join(path, name));
}

function readableNode(folder: string): string {
  const node = realpathSync(process.execPath);
  if ((statSync(node).mode & 0o005) === 0o005 && reachable(dirname(node))) return node;
  const own = join(folder, "node");
  try {
    linkSync(node, own);
    if ((statSync(own).mode & 0o005) === 0o005) return own;
    rmSync(own);
  } catch {
    // Another file system, or links are not allowed: copies instead.
  }
  copyFileSync(node, own);
  chmodSync(own, 0o755);
  return own;
}

/** Returns true when every account may pass through every folder of the path. */
function reachable(path: string): boolean {
  try {
    for (let at = realpathSync(path); ; at = dirname(at)) {
      if ((statSync(at).mode & 0o001) === 0) return false;
      if (at === dirname(at)) return true;
    }
  } catch {
    return false;
  }
}

/**
 * Returns the PID namespace, as "4026531836_", or "" if unknown. Containers can share a folder for temporary files, but each
 * sees only its own processes.
 */
function pidNamespace(): string {
  try {
    const [, inode] = /^pid:\[(\d+)\]$/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
    return inode === undefined ? "" : `${inode}_`;
  } catch {
    return "";
  }
}

/** Removes folders that killed processes left. Skips those of other PID namespaces, whose processes cannot be checked. */
function removeStale(base: string): void {
  const own = pidNamespace();
  for (const name of readdirSync(base)) {
    if (!name.startsWith(PREFIX)) continue;
    const [, id, namespace = own] = /^(\d+)-(\d+_)?/.exec(name.slice(PREFIX.length)) ?? [];
    const pid = Number(id);
    if (!Number.isSafeInteger(pid) || namespace !== own || alive(pid)) continue;
    const path = join(base, name);
    try {
      if (lstatSync(path).isDirectory() && lstatSync(path).uid === process.getuid?.())
        rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process has just removed it.
    }
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}
