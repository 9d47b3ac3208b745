/** The table as people read it. */
import type { Meta } from "./meta.js";
import type { Row } from "./row.js";

/** One line of it. */
export function rowLine(row: Row): string {
  const { id, what, ours, peer, unit, ratio, bar, met, direction, against, spread, lacks } = row;
  if (ours === null || ratio === null || spread === null) return `-       ${id.padEnd(34)} ${what}: ${lacks}`;
  const peers = peer === null ? "" : `  ${ratio.toFixed(2)} × ${against} (${figure(peer)})`;
  const range = row.runs.length > 1 ? `  [${spread.map(short).join(" … ")}]` : "";
  const bars =
    bar === null ? "" : `  bar ${direction === "at least" ? "≥" : "≤"} ${bar}${peer === null ? ` ${unit}` : " ×"}`;
  const verdict = met === null ? "" : met ? "met" : "NOT MET";
  const trouble = lacks === undefined ? "" : `  (${lacks})`;
  return `${verdict.padEnd(7)} ${id.padEnd(34)} ${what}: ${figure(ours)} ${unit}${peers}${range}${bars}${trouble}`;
}

/** What stands above it. */
export function heading(meta: Omit<Meta, "loadAfter" | "seconds">): string {
  const { commit, node, cpu, cores, date, settings, loadBefore } = meta;
  const how = settings.smoke ? "smoke run: the figures mean nothing" : `medians of ${settings.rounds} runs`;
  return `bulkhead ${commit}, ${date}, Node ${node}, ${cpu} (${cores} cores), sandbox ${settings.sandbox}, journal on ${settings.disk}, load ${loadBefore.map((one) => one.toFixed(1)).join(" ")}; ${how}\n`;
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : short(value);
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
