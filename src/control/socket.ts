/** The control socket's file: its path is checked, a leftover is replaced, and its owner is the data folder's. Touches `fs`. */
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type PlacedSocket, placeSocket, SocketTaken } from "../docker/socket-file.js";
import { DriverError } from "../driverapi/errors.js";
import { CONTROL } from "./limits.js";

export interface ControlFile extends PlacedSocket {
  /** The account that can connect besides root: the caller, as far as the host can tell. */
  readonly uid: number;
}

/** Puts a socket that `listen` makes at `path`, with mode 0600. Throws `ERR_CONTROL_SOCKET`. */
export async function placeControl(
  path: string,
  dataDir: string | undefined,
  listen: (path: string) => Promise<unknown>,
): Promise<ControlFile> {
  const place = resolve(path);
  const folder = dirname(place);
  const bytes = Math.max(Buffer.byteLength(place), Buffer.byteLength(join(folder, ".bulkhead-XXXXXX", "s")));
  if (bytes > CONTROL.pathBytes)
    throw refused(
      `${place}: it is too long for a Unix socket, whose path has at most ${CONTROL.pathBytes} bytes (here ${bytes}, with the private folder in which it is made); name a shorter one with --control, or open none with --no-control`,
    );
  const self = process.getuid?.() ?? 0;
  const { uid, gid } = dataDir === undefined ? { uid: self, gid: process.getgid?.() ?? 0 } : statSync(dataDir);
  try {
    const placed = await placeSocket(folder, place, uid === self ? undefined : { uid, gid }, listen);
    return { ...placed, uid };
  } catch (error) {
    if (error instanceof SocketTaken)
      throw refused(
        `${place}: ${error.daemon ? "another bulkhead host" : "another program"} serves it; end that first, or name another path with --control`,
      );
    if (error instanceof DriverError) throw refused(error.message);
    throw error;
  }
}

function refused(message: string): DriverError {
  return new DriverError("ERR_CONTROL_SOCKET", message);
}
