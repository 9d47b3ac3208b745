/** `bulkhead cni install`, `bulkhead podman install` and their opposites: executables by which other platforms find drivers. */
import { resolve } from "node:path";
import type { Platform } from "../attachments/attachment.js";
import { ControlClient } from "../control/client.js";
import { DriverError } from "../driverapi/errors.js";
import { installExecutables, uninstallExecutables } from "../executables/install.js";
import type { Report } from "./output.js";

export interface ExecutablesOptions {
  readonly platform: Platform;
  /** `install` or `uninstall`. */
  readonly what: string;
  readonly dir: string;
  /** True if the folder is the default, and is to be made. */
  readonly makeDir: boolean;
  readonly prefix: string;
  /** The running host's control socket. */
  readonly socket: string;
  /** The Node that runs the executables. */
  readonly node: string;
}

/** Rejects with `ERR_USAGE`, `ERR_EXECUTABLE`, and for `install` with `ERR_NO_DAEMON`. */
export async function executables({
  platform,
  what,
  dir,
  makeDir,
  prefix,
  socket,
  node,
}: ExecutablesOptions): Promise<Report> {
  const folder = resolve(dir);
  if (what === "uninstall") {
    const removed = uninstallExecutables({ folder, platform });
    return { data: { removed }, text: removed.map((path) => `removed ${path}`).join("\n") || "nothing to remove" };
  }
  if (what !== "install") throw new DriverError("ERR_USAGE", `${platform} ${what}: say install or uninstall`);
  const { plugins } = await whenThere(() => new ControlClient(socket).ask("plugins"));
  const types = [...new Set(plugins.flatMap((one) => one.types))].sort();
  if (types.length === 0)
    throw new DriverError("ERR_EXECUTABLE", "the running host has no driver in service; bulkhead ps says why");
  const installed = installExecutables(
    { platform, folder, prefix, node, socket: resolve(socket), makeFolder: makeDir },
    types,
  );
  return { data: { installed }, text: installed.map((path) => `installed ${path}`).join("\n") };
}

/** How long a daemon that is starting may take, in milliseconds. */
const STARTING_MS = 10_000;

/** Asks a host; one that is starting has no control socket yet. */
async function whenThere<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + STARTING_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const starting = error instanceof DriverError && error.code === "ERR_NO_DAEMON";
      if (!starting || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
