/** The command `dev`. */
import type { Command } from "commander";
import { quote } from "../../common/quote.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Report } from "../output.js";
import type { Daemon } from "../serve/serve.js";
import { type ServeConfig, settle } from "../serve/settings.js";
import { dev } from "./dev.js";

/** As `node --inspect`. */
const INSPECT_PORT = 9229;

/** Runs until a signal. Rejects with `ERR_USAGE` and what `dev` throws. */
export async function runDev(path: string, command: Command, daemon: Daemon, json: boolean): Promise<Report> {
  const { inspect, ...options } = command.opts<ServeConfig & { inspect?: string | true }>();
  const { policy, dataDir, dockerDir, netns, backend, isolation } = options;
  const given = { policy, dataDir, dockerDir, netns, backend, isolation };
  const flags = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ServeConfig;
  // Checks the values as `serve` does; the defaults differ.
  settle(flags, {});
  const inspectPort = inspect === undefined ? undefined : portOf(inspect);
  if (inspectPort !== undefined && (policy !== undefined || isolation !== undefined))
    throw new DriverError(
      "ERR_USAGE",
      `--inspect chooses the isolation and the deadlines, so it does not go with ${policy === undefined ? "--isolation" : "--policy"}`,
    );
  const places = { policy, dataDir, dockerDir, netns, backend: backend ?? "model", isolation } as const;
  return dev(path, { ...places, inspectPort }, daemon, json);
}

function portOf(given: string | true): number {
  const port = given === true ? INSPECT_PORT : Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new DriverError("ERR_USAGE", `--inspect is a port from 0 to 65535, not ${quote(given)}`);
}
