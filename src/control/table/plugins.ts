/** The table of plugins. */
import type { PluginRow } from "../types.js";
import { type Cell, type Colour, cell, columns } from "./columns.js";
import { duration, memory, milliseconds } from "./figures.js";

/** The colour of each state; others are plain. */
const STATES: Readonly<Record<string, Colour>> = {
  running: "green",
  loading: "yellow",
  restarting: "yellow",
  orphaned: "yellow",
  "awaiting-grant": "yellow",
  unavailable: "red",
  refused: "red",
  quarantined: "red",
  stopped: "faint",
};

export function stateColour(state: string): Colour {
  return STATES[state] ?? "plain";
}

/** Returns the table of `bulkhead ps`. */
export function pluginTable(coloured: boolean, plugins: readonly PluginRow[]): string {
  if (plugins.length === 0) return "the host has no plugins";
  const headings = ["ID", "STATE", "FOR", "TYPES", "PID", "MEMORY", "CPU", "CALLS", "ERRORS", "P50", "P99", "RESTARTS"];
  return columns(
    coloured,
    headings,
    plugins.map((one) => [cell(one.id), ...pluginCells(one)]),
  );
}

function pluginCells(one: PluginRow): readonly Cell[] {
  const { state, since, types, pid, memoryMb, cpuMs, calls, inFlight, errors, latency, restarts } = one;
  const took = (ms: number): string => (latency.count === 0 ? "-" : milliseconds(ms));
  return [
    cell(state, stateColour(state)),
    cell(duration(Date.now() - Date.parse(since))),
    cell(types.join(",")),
    cell(pid),
    cell(memory(memoryMb)),
    cell(milliseconds(cpuMs)),
    cell(inFlight === 0 ? calls : `${calls} (${inFlight} open)`),
    cell(errors, errors > 0 ? "yellow" : "plain"),
    cell(took(latency.p50)),
    cell(took(latency.p99)),
    cell(restarts, restarts > 0 ? "yellow" : "plain"),
  ];
}
