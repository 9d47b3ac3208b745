/**
 * `npm run bench`: a table of ratios, all taken in this one run on this one machine.
 * `-- --json FILE` writes the figures, `-- --smoke` only shows that everything runs.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { median, type Peer, saturate } from "./closed-loop.js";
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
const [rounds, ms] = values.smoke ? [1, 200] : [5, 1500];

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

const peers = [rawEcho(), bareComlink(), ours("thread")];
const figures = await measure(peers);
const raw = median(figures.get("raw-echo") ?? []);
const rows: Row[] = peers.map(({ id, what }) => {
  const runs = figures.get(id) ?? [];
  const figure = median(runs);
  return { id, what, ours: figure, peer: raw, unit: "calls/s", ratio: figure / raw, bar: null, met: null, runs };
});
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
for (const row of rows)
  console.log(
    `${row.what.padEnd(34)} ${Math.round(row.ours).toString().padStart(9)} ${row.unit}  ${row.ratio.toFixed(2)} × raw echo`,
  );
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
