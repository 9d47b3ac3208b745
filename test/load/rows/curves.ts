/** Latency against offered rate, ours and the peers': the chart's points. Its rows say what was borne at most. */
import { openLoop } from "#dist/load/open-loop.js";
import { withPeer } from "../gauges.js";
import { ours } from "../ours.js";
import { bareComlink } from "../peers/comlink.js";
import { httpUnix } from "../peers/http-unix.js";
import type { Peer } from "../peers/peer.js";
import { barePiscina } from "../peers/piscina.js";
import { rawEcho } from "../peers/raw-echo.js";
import type { Figures, Measure, Run } from "../row.js";

const RATES = [1_000, 3_000, 10_000, 20_000, 50_000, 100_000];
/** A rate is borne when that share of it is answered, and at p99 within that many microseconds. */
const BORNE = { share: 0.98, p99: 50_000 };
const ALL: readonly Peer[] = [ours("thread"), ours("process"), rawEcho, bareComlink, barePiscina, httpUnix];

async function curve(peer: Peer, run: Run): Promise<number> {
  let borne = 0;
  let first = 0;
  await withPeer(peer, async ({ call }) => {
    for (const offered of run.smoke ? RATES.slice(0, 2) : RATES) {
      const { perSecond, latency, next } = await openLoop(call, { perSecond: offered, ms: run.ms(400), first });
      first = next;
      const { p50, p99, p999 } = latency;
      run.point({ id: peer.id, what: peer.what, offered, perSecond, p50, p99, p999 });
      if (perSecond < offered * BORNE.share || p99 > BORNE.p99) break;
      borne = offered;
    }
  });
  return borne;
}

export const curves: Measure = {
  rows: ALL.map(({ id, what }) => ({
    id: `curve-${id}`,
    what: `${what}: greatest offered rate that is borne, p99 within 50 ms`,
    unit: "calls/s",
    direction: "at least" as const,
    bar: null,
  })),
  seconds: 22,
  rounds: 1,
  async round(run) {
    const figures: Record<string, Figures> = {};
    for (const peer of ALL) figures[`curve-${peer.id}`] = { ours: await curve(peer, run) };
    return figures;
  },
};
