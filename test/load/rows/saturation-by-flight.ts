import { closedLoop } from "#dist/load/closed-loop.js";
import { withPeer } from "../gauges.js";
import { ours } from "../ours.js";
import type { Peer } from "../peers/peer.js";
import { rawEcho } from "../peers/raw-echo.js";
import type { Figures, Measure, Run } from "../row.js";

const FLIGHTS = [1, 16, 64, 256, 1024];
const ISOLATIONS = ["thread", "process"] as const;

export const saturationByFlight: Measure = {
  rows: ISOLATIONS.flatMap((isolation) =>
    FLIGHTS.map((inFlight) => ({
      id: `saturation-${isolation}-${inFlight}`,
      what: `saturation, ${isolation} isolation, ${inFlight} in flight`,
      peer: "raw postMessage echo",
      unit: "calls/s",
      direction: "at least" as const,
      bar: null,
    })),
  ),
  seconds: 14,
  rounds: 1,
  async round(run) {
    const floor = await byFlight(rawEcho, run);
    const figures: Record<string, Figures> = {};
    for (const isolation of ISOLATIONS) {
      const mine = await byFlight(ours(isolation), run);
      for (const [index, inFlight] of FLIGHTS.entries())
        figures[`saturation-${isolation}-${inFlight}`] = {
          ours: mine[index] ?? Number.NaN,
          peer: floor[index] ?? Number.NaN,
        };
    }
    return figures;
  },
};

function byFlight(peer: Peer, run: Run): Promise<readonly number[]> {
  return withPeer(peer, async ({ call }) => {
    const figures: number[] = [];
    let first = 0;
    for (const inFlight of FLIGHTS) {
      const { perSecond, next } = await closedLoop(call, { inFlight, ms: run.ms(700), first });
      first = next;
      figures.push(perSecond);
    }
    return figures;
  });
}
