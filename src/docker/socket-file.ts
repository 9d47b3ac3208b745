/**
 * The socket files an engine finds plugins by. One is made in a private folder and linked into place, so that nobody else can
 * connect before its mode is set; one that is left over is removed only when nobody answers on it.
 */

import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { chmod, chown, link, mkdtemp } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { type Identity, whoServes } from "./identity.js";
import { DOCKER } from "./limits.js";

/** Who may connect besides root. */
export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A socket in place. */
export interface PlacedSocket {
  readonly path: string;
  /** False once somebody else has removed it or put something in its place. */
  inPlace(): boolean;
  /** Removes it, if it is still the one that was placed. */
  remove(): void;
}

/** The path of a network type's socket. Throws `ERR_DOCKER_SOCKET` for one the system cannot have. */
export function socketPath(directory: string, prefix: string, type: string): string {
  const path = join(directory, `${prefix}${type}.sock`);
  const bytes = Buffer.byteLength(join(directory, ".bulkhead-XXXXXX", "s"));
  if (Math.max(bytes, Buffer.byteLength(path)) <= DOCKER.pathBytes) return path;
  throw refused(path, `a Unix socket's path has at most ${DOCKER.pathBytes} bytes; choose a shorter folder`);
}

/**
 * Has `listen` make a socket and puts it at `path`, mode 0600; the folder is made where it is missing. What others have put there
 * stays. Throws `SocketTaken` where another process serves it, else `ERR_DOCKER_SOCKET`.
 */
export async function placeSocket(
  directory: string,
  path: string,
  owner: SocketOwner | undefined,
  listen: (path: string) => Promise<unknown>,
): Promise<PlacedSocket> {
  let folder: string | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const stale = await staleAt(path);
    folder = await mkdtemp(join(directory, ".bulkhead-"));
    const made = join(folder, "s");
    await listen(made);
    await chmod(made, 0o600);
    if (owner) await chown(made, owner.uid, owner.gid);
    const { ino } = statSync(made);
    if (stale !== undefined) removeIf(path, stale);
    // Unlike a rename, a link replaces nothing that has come meanwhile.
    await link(made, path);
    return { path, inPlace: () => inodeOf(path) === ino, remove: () => removeIf(path, ino) };
  } catch (error) {
    if (error instanceof DriverError) throw error;
    throw refused(path, messageOf(error));
  } finally {
    if (folder !== undefined) removeFolder(folder);
  }
}

/** The inode of a socket that nobody serves any more; undefined: nothing is there. Throws for what is somebody else's. */
async function staleAt(path: string): Promise<number | undefined> {
  const ino = inodeOf(path);
  if (ino === undefined) return undefined;
  if (!lstatSync(path).isSocket())
    throw refused(path, "a file that is not a socket is in its place, and is left as it is; remove it");
  if (await answers(path)) throw new SocketTaken(path, await whoServes(path));
  return ino;
}

/** Removes what an earlier run left: sockets of our prefix that nobody answers on, and private folders. Gives their names. */
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

/** True when somebody accepts on a socket; a file that is none counts as somebody's too. */
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
    // One that neither accepts nor refuses has a full queue, and so an owner.
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
  try {
    rmSync(join(folder, "s"), { force: true });
    rmdirSync(folder);
  } catch {
    // Another run's, in use or gone.
  }
}

/** Another process serves a socket that is to be ours. */
export class SocketTaken extends DriverError {
  /** True where that is another daemon of ours. */
  readonly daemon: boolean;

  constructor(path: string, who: Identity | undefined) {
    const words = who ? `another bulkhead daemon (process ${who.Pid})` : "another program";
    super(
      "ERR_DOCKER_SOCKET",
      `${path}: ${words} serves it; end that first, or give this daemon another --docker-dir or --docker-prefix`,
    );
    this.daemon = who !== undefined;
  }
}

function refused(path: string, why: string): DriverError {
  return new DriverError("ERR_DOCKER_SOCKET", `${path}: ${why}`);
}
