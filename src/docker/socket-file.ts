/**
 * The socket files by which an engine finds plugins. A socket is made in a private folder and linked into place, so that no one
 * can connect before its mode is set; a leftover is removed only if no process accepts on it.
 */

import { constants, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { chmod, type FileHandle, lchown, link, lstat, mkdtemp, open } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { type Identity, identifyServer } from "./identity.js";
import { DOCKER } from "./limits.js";

/** The account that may connect besides root. */
export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A socket in place. */
export interface PlacedSocket {
  readonly path: string;
  /** Returns false once another program has removed or replaced it. */
  inPlace(): boolean;
  /** Removes it, unless it was replaced. */
  remove(): void;
}

/** Returns the path of a network type's socket. Throws `ERR_DOCKER_SOCKET` if it is too long for a Unix socket. */
export function socketPath(directory: string, prefix: string, type: string): string {
  const path = join(directory, `${prefix}${type}.sock`);
  const bytes = Buffer.byteLength(join(directory, ".bulkhead-XXXXXX", "s"));
  if (Math.max(bytes, Buffer.byteLength(path)) <= DOCKER.pathBytes) return path;
  throw refused(path, `a Unix socket's path has at most ${DOCKER.pathBytes} bytes; choose a shorter folder`);
}

/**
 * Puts a socket that `listen` makes at `path`, with mode 0600, and creates the folder if needed; replaces no other program's file.
 * Throws `SocketTaken` if another process serves it, else `ERR_DOCKER_SOCKET`.
 */
export async function placeSocket(
  directory: string,
  path: string,
  owner: SocketOwner | undefined,
  listen: (path: string) => Promise<unknown>,
): Promise<PlacedSocket> {
  let folder: string | undefined;
  let held: FileHandle | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const stale = await staleAt(path);
    folder = await mkdtemp(join(directory, ".bulkhead-"));
    // The owner of `directory` may rename what is in it: from here on the private folder is reached by its descriptor.
    held = await openOwn(folder);
    await listen(join(folder, "s"));
    const made = `/proc/self/fd/${held.fd}/s`;
    const { ino } = await lstat(made);
    await chmod(made, 0o600);
    if (owner) await lchown(made, owner.uid, owner.gid);
    if (stale !== undefined) removeIf(path, stale);
    // Unlike a rename, a link never replaces a file that appeared meanwhile.
    await link(made, path);
    return { path, inPlace: () => inodeOf(path) === ino, remove: () => removeIf(path, ino) };
  } catch (error) {
    if (error instanceof DriverError) throw error;
    throw refused(path, messageOf(error));
  } finally {
    if (held) rmSync(`/proc/self/fd/${held.fd}/s`, { force: true });
    await held?.close();
    if (folder !== undefined) removeEmpty(folder);
  }
}

/** Opens a folder in which no other account can write. Throws if it is another one. */
async function openOwn(folder: string): Promise<FileHandle> {
  const held = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { uid, mode } = await held.stat();
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return held;
  await held.close();
  throw new Error(`another program has replaced ${folder}`);
}

/** Returns the inode of a socket that no process serves; undefined if there is none. Throws for another program's file. */
async function staleAt(path: string): Promise<number | undefined> {
  const ino = inodeOf(path);
  if (ino === undefined) return undefined;
  if (!lstatSync(path).isSocket()) throw refused(path, "a file that is not a socket is in its place; remove it");
  if (await answers(path)) throw new SocketTaken(path, await identifyServer(path));
  return ino;
}

/** Removes what an earlier run left: sockets with our prefix that no process serves, and private folders. Returns their names. */
export async function clearStale(directory: string, prefix: string): Promise<readonly string[]> {
  const cleared: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && /^\.bulkhead-.{6}$/.test(entry.name)) {
      if (!(await answers(join(path, "s")))) removeFolder(path);
    } else if (entry.isSocket() && entry.name.startsWith(prefix) && entry.name.endsWith(".sock")) {
      if (await answers(path)) continue;
      rmSync(path, { force: true });
      cleared.push(entry.name);
    }
  }
  return cleared;
}

/** Returns whether a process accepts on a socket; a file that is not a socket counts as in use. */
function answers(path: string): Promise<boolean> {
  try {
    if (!lstatSync(path).isSocket()) return Promise.resolve(true);
  } catch {
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const told = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    // A socket that neither accepts nor refuses has a full backlog, and so an owner.
    socket.setTimeout(DOCKER.probeMs, () => told(true));
    socket.once("connect", () => told(true));
    socket.once("error", () => told(false));
  });
}

function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

function removeIf(path: string, ino: number): void {
  if (inodeOf(path) === ino) rmSync(path, { force: true });
}

function removeFolder(folder: string): void {
  rmSync(join(folder, "s"), { force: true });
  removeEmpty(folder);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is in use by another run, or gone.
  }
}

/** Another process serves the socket. */
export class SocketTaken extends DriverError {
  /** True if it is another Bulkhead daemon. */
  readonly daemon: boolean;

  constructor(path: string, server: Identity | undefined) {
    const words = server ? `another bulkhead daemon (process ${server.Pid})` : "another program";
    super(
      "ERR_DOCKER_SOCKET",
      `${path}: ${words} serves it; end that first, or give this daemon another --docker-dir or --docker-prefix`,
    );
    this.daemon = server !== undefined;
  }
}

function refused(path: string, why: string): DriverError {
  return new DriverError("ERR_DOCKER_SOCKET", `${path}: ${why}`);
}
