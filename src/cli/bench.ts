/** `bulkhead bench PATH`: puts one plugin's drivers under load, in a host that is thrown away, and says what they bear. */

import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject } from "../driverapi/json.js";
import type { Discovered } from "../host/discovery.js";
import { ISOLATIONS, type Isolation } from "../isolation/link.js";
import { LOAD } from "../load/limits.js";
import { type Measured, measure } from "../load/measure.js";
import { CALLS, type Work } from "../load/work.js";
import { grantAll } from "../policy/grant-all.js";
import type { Policy } from "../policy/schema.js";
import { withCopy } from "./copy-plugin.js";
import { type Report, table } from "./output.js";
import { WallWatch } from "./wall-watch.js";

/** What `bench` takes, as commander gives it. */
export interface BenchFlags {
  readonly isolation?: string;
  readonly work?: string;
  readonly seconds?: string;
  readonly networkOptions?: string;
}

interface BenchOptions {
  readonly isolation: Isolation;
  readonly work: Work;
  readonly ms: number;
  readonly networkOptions: JsonObject;
}

/**
 * Grants all the plugin asks for, on the in-memory model of a kernel, behind the strongest wall there is here. Leaves nothing
 * behind. Throws `ERR_USAGE` and what keeps the plugin from loading; reports the first error a driver answers, and what it bore before.
 */
export async function bench(path: string, flags: BenchFlags): Promise<Report> {
  const options = readFlags(flags);
  return withCopy(path, "bulkhead-bench-", (plugin, folder) => benchCopy(plugin, folder, options));
}

async function benchCopy(plugin: Discovered, folder: string, options: BenchOptions): Promise<Report> {
  const policy: Policy = { sandbox: "auto", plugins: { [plugin.id]: grantAll(plugin.id, plugin.manifest) } };
  // Loaded only here, since no other command needs it.
  const { createPluginHost } = await import("../index.js");
  const { isolation } = options;
  const logger = new WallWatch();
  const host = await createPluginHost({ plugins: folder, policy, isolation, backend: "model", logger });
  try {
    const [info] = host.plugins();
    if (info?.state !== "running") throw info?.refusal ?? new Error(`the plugin is ${info?.state ?? "not found"}`);
    const drivers: { readonly type: string; readonly rows: Measured[] }[] = [];
    let error: DriverError | undefined;
    for (const type of info.drivers) {
      const rows: Measured[] = [];
      drivers.push({ type, rows });
      try {
        await measure(host.driver(type), options, (row) => rows.push(row));
      } catch (failure) {
        if (!(failure instanceof DriverError)) throw failure;
        error ??= failure;
      }
    }
    const { work, ms } = options;
    const wall = logger.report;
    const data = { plugin: plugin.id, isolation: info.isolation, wall, work, calls: CALLS[work], ms, drivers };
    const behind = wall.name === null ? "" : ` behind ${wall.name}`;
    const title = `${plugin.id}, isolation "${info.isolation}"${behind}; a unit of work "${work}" is ${CALLS[work]} calls`;
    const text = [
      title,
      ...(wall.weakened === null ? [] : [wall.weakened]),
      ...drivers.map(({ type, rows }) => driverText(type, rows)),
    ].join("\n\n");
    return { data, text, ...(error ? { error } : {}) };
  } finally {
    await host.close();
  }
}

function driverText(type: string, rows: readonly Measured[]): string {
  const lines = rows.map((row) => {
    const { p50, p90, p99, p999, max } = row.latency;
    const how = row.loop === "closed" ? `${row.inFlight} in flight` : `${Math.round(row.offered ?? 0)}/s offered`;
    const late = row.unanswered === 0 ? "" : `${row.unanswered} unanswered`;
    return [how, ...[row.perSecond, row.callsPerSecond, p50, p90, p99, p999, max].map(number), late];
  });
  const headings = [`DRIVER ${type}`, "UNITS/S", "CALLS/S", "P50 µs", "P90 µs", "P99 µs", "P99.9 µs", "MAX µs", ""];
  return table(headings, lines);
}

function number(value: number): string {
  return String(Math.round(value));
}

function readFlags({ isolation = "process", work = "endpoint", seconds, networkOptions }: BenchFlags): BenchOptions {
  const length = seconds === undefined ? LOAD.seconds : Number(seconds);
  if (!(length > 0 && length <= LOAD.secondsMax))
    throw wrongUse(`--seconds is a number above 0 and at most ${LOAD.secondsMax}, not ${quote(seconds ?? "")}`);
  if (!isIsolation(isolation))
    throw wrongUse(`--isolation is one of ${ISOLATIONS.join(", ")}, not ${quote(isolation)}`);
  if (!isWork(work)) throw wrongUse(`--work is one of ${Object.keys(CALLS).join(", ")}, not ${quote(work)}`);
  return { isolation, work, ms: length * 1000, networkOptions: readOptions(networkOptions ?? "{}") };
}

function isIsolation(text: string): text is Isolation {
  return (ISOLATIONS as readonly string[]).includes(text);
}

function isWork(text: string): text is Work {
  return Object.hasOwn(CALLS, text);
}

function readOptions(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Told below.
  }
  throw wrongUse(`--network-options is a JSON object, not ${quote(text)}`);
}

function wrongUse(message: string): DriverError {
  return new DriverError("ERR_USAGE", message);
}
