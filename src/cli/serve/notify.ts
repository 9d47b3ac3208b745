/**
 * Notifies systemd (sd_notify). Node has no Unix datagram sockets, so systemd's own small program does it, where systemd
 * listens.
 */
import { execFile } from "node:child_process";
import type { Logger } from "../../common/logger.js";

/** How long it may take, in milliseconds. */
const NOTIFY_MS = 5_000;

/** Runs systemd-notify with `state`, `--ready` or `--stopping`. Never rejects: a failure is logged, and the service goes on. */
export function notifySystemd(state: string, socket: string | undefined, logger: Logger): Promise<void> {
  if (socket === undefined || socket === "") return Promise.resolve();
  return new Promise((resolve) => {
    const env = { PATH: "/usr/bin:/bin", NOTIFY_SOCKET: socket };
    // Names the daemon's PID: systemd would otherwise see the PID of a program that has already ended.
    const args = [`--pid=${process.pid}`, state];
    execFile("systemd-notify", args, { env, timeout: NOTIFY_MS }, (error) => {
      if (error) logger.warn({ err: error }, `systemd-notify ${state} failed: ${error.message}`);
      resolve();
    });
  });
}
