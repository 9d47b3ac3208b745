/**
 * `npm run bench`: a table of ratios, all taken in this one run on this one machine.
 * `-- --json FILE` writes the figures, `-- --smoke` only shows that everything runs.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { median, type Peer, saturate } from "./closed-loop.js";
import { type Costs, costs, ISOLATIONS, type Isolation, PLUGINS } from "./costs.js";
import { ours } from "./ours.js";
import { bareComlink, rawEcho } from "./peers.js";

interface Row {
  readonly id: string;
  readonly what: string;
  readonly ours: number;
  readonly peer: number;
  readonly unit: string;
  readonly ratio: number;
  readonly bar: number | null;
  readonly met: boolean | null;
  readonly runs: readonly number[];
}

const { values } = parseArgs({ options: { json: { type: "string" }, smoke: { type: "boolean", default: false } } });
const IN_FLIGHT = 256;
const [rounds, ms, costRounds, costCalls] = values.smoke ? [1, 200, 1, 200] : [5, 1500, 3, 3000];

/** Every peer once per round, so that a slow moment of the machine meets them all. */
async function measure(peers: readonly Peer[]): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(peers.map((peer) => [peer.id, []]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      await peer.start();
      try {
        figures.get(peer.id)?.push(await saturate(peer, IN_FLIGHT, ms));
      } finally {
        await peer.stop();
      }
    }
  }
  return figures;
}

const peers = [rawEcho(), bareComlink(), ours("thread"), ours("process"), ours("dedicated")];
const figures = await measure(peers);
const spent = new Map<Isolation, Costs[]>(ISOLATIONS.map((one) => [one, []]));
for (let round = 0; round < costRounds; round++) {
  for (const one of ISOLATIONS) spent.get(one)?.push(await costs(one, costCalls));
}
const raw = median(figures.get("raw-echo") ?? []);
const rows: Row[] = peers.map(({ id, what }) => {
  const runs = figures.get(id) ?? [];
  const figure = median(runs);
  return { id, what, ours: figure, peer: raw, unit: "calls/s", ratio: figure / raw, bar: null, met: null, runs };
});
const FIGURES = [
  ["start", "first plugin in service", "ms"],
  ["restart", "stray throw to the next worker", "ms"],
  ["resident", `memory of each of ${PLUGINS} idle plugins`, "MiB"],
  ["call", "call after call, median", "µs"],
] as const;
for (const [key, what, unit] of FIGURES) {
  for (const isolation of ISOLATIONS) {
    const [mine = [], threads = []] = [isolation, "thread" as const].map((one) =>
      spent.get(one)?.map((run) => run[key]),
    );
    const [figure, peer] = [median(mine), median(threads)];
    rows.push({
      id: `cost-${isolation}-${key}`,
      what: `${what}, "${isolation}"`,
      ours: figure,
      peer,
      unit,
      ratio: figure / peer,
      bar: null,
      met: null,
      runs: mine,
    });
  }
}
const meta = {
  commit: commit(),
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  date: new Date().toISOString(),
  inFlight: IN_FLIGHT,
  rounds,
  ms,
  smoke: values.smoke,
};

console.log(
  `createEndpoint, ${IN_FLIGHT} in flight, median of ${rounds} × ${ms} ms; Node ${meta.node}, ${meta.cpu} (${meta.cores} cores), ${meta.commit}\n`,
);
for (const { what, ours: figure, unit, ratio, id } of rows) {
  const peer = id.startsWith("cost-") ? `"thread"` : "raw echo";
  const shown = unit === "calls/s" ? Math.round(figure).toString() : figure.toFixed(1);
  console.log(`${what.padEnd(48)} ${shown.padStart(9)} ${unit.padEnd(7)}  ${ratio.toFixed(2)} × ${peer}`);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ meta, rows }, null, 2)}\n`);

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}
