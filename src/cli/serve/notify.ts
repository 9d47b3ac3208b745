/**
 * Telling systemd (sd_notify). Node has no datagram sockets of the Unix kind, so systemd's own small program says it, where there
 * is somebody to be told.
 */
import { execFile } from "node:child_process";
import type { Logger } from "../../host/logger.js";

/** How long it may take, in milliseconds. */
const NOTIFY_MS = 5_000;

/** `READY=1`, `STOPPING=1` … Never rejects: a service that works and is not believed is logged. */
export function notifySystemd(state: string, socket: string | undefined, logger: Logger): Promise<void> {
  if (socket === undefined || socket === "") return Promise.resolve();
  return new Promise((resolve) => {
    const env = { PATH: "/usr/bin:/bin", NOTIFY_SOCKET: socket };
    // Asked by its parent's number: systemd otherwise hears of a process that has ended already.
    const args = [`--pid=${process.pid}`, state];
    execFile("systemd-notify", args, { env, timeout: NOTIFY_MS }, (error) => {
      if (error) logger.warn({ err: error }, `systemd was not told ${state}: ${error.message}`);
      resolve();
    });
  });
}
