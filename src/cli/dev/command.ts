/** The command `dev`. */
import type { Command } from "commander";
import type { Report } from "../output.js";
import type { Daemon } from "../serve/serve.js";
import { type ServeConfig, settle } from "../serve/settings.js";
import { dev } from "./dev.js";

/** Runs until a signal. Rejects with `ERR_USAGE` and what `dev` throws. */
export async function runDev(path: string, command: Command, daemon: Daemon, json: boolean): Promise<Report> {
  const { policy, dataDir, dockerDir, netns, backend, isolation } = command.opts<ServeConfig>();
  const given = { policy, dataDir, dockerDir, netns, backend, isolation };
  const flags = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ServeConfig;
  // Checks the values as `serve` does; the defaults differ.
  settle(flags, {});
  return dev(path, { policy, dataDir, dockerDir, netns, backend: backend ?? "model", isolation }, daemon, json);
}
