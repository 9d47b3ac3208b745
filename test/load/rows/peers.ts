/** Every peer, and ours with a journal on disk: saturation and the latency of one call after another, against a raw echo. */
import { closedLoop } from "#dist/load/closed-loop.js";
import { withPeer } from "../gauges.js";
import { ours } from "../ours.js";
import { PEERS } from "../peers/all.js";
import type { Peer } from "../peers/peer.js";
import { rawEcho } from "../peers/raw-echo.js";
import type { Figures, Measure } from "../row.js";

const ALL = [...PEERS.filter((peer) => peer !== rawEcho), ours("thread", true), ours("process", true)];
const spec = { peer: rawEcho.what, bar: null } as const;

export const peers: Measure = {
  rows: ALL.flatMap(({ id, what }) => [
    { id: `peer-${id}-256`, what: `${what}, 256 in flight`, unit: "calls/s", direction: "at least", ...spec } as const,
    {
      id: `peer-${id}-p50`,
      what: `${what}, one after another, p50`,
      unit: "µs",
      direction: "at most",
      ...spec,
    } as const,
  ]),
  seconds: 13,
  rounds: 1,
  async round(run) {
    const ms = run.ms(500);
    const floor = await both(rawEcho, ms);
    const figures: Record<string, Figures> = {};
    for (const peer of ALL) {
      try {
        const mine = await both(peer, ms);
        figures[`peer-${peer.id}-256`] = { ours: mine.many, peer: floor.many };
        figures[`peer-${peer.id}-p50`] = { ours: mine.one, peer: floor.one };
      } catch (error) {
        // A peer that cannot be installed here: its rows say that nothing was measured.
        if ((error as { readonly code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw error;
      }
    }
    return figures;
  },
};

async function both(peer: Peer, ms: number): Promise<{ readonly one: number; readonly many: number }> {
  return withPeer(peer, async ({ call }) => {
    const one = await closedLoop(call, { inFlight: 1, ms });
    const many = await closedLoop(call, { inFlight: 256, ms, first: one.next });
    return { one: one.latency.p50, many: many.perSecond };
  });
}
