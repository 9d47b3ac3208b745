/** Ways of measuring one peer, ours included: started afresh, loaded, stopped. */
import { closedLoop, type Target } from "#dist/load/closed-loop.js";
import { openLoop } from "#dist/load/open-loop.js";
import type { Peer, Running } from "./peers/peer.js";

/** What `work` finds with the peer running. */
export async function withPeer<T>(peer: Peer, work: (running: Running) => Promise<T>): Promise<T> {
  const running = await peer.start();
  try {
    return await work(running);
  } finally {
    await running.stop();
  }
}

/** Answers per second with `inFlight` callers. */
export function saturation(peer: Peer, inFlight: number, ms: number): Promise<number> {
  return withPeer(peer, async ({ call }) => (await closedLoop(call, { inFlight, ms })).perSecond);
}

/** Median microseconds of a call, one after another. */
export function sequential(peer: Peer, ms: number): Promise<number> {
  return withPeer(peer, async ({ call }) => (await closedLoop(call, { inFlight: 1, ms })).latency.p50);
}

/** Latencies at half of what it bears with 256 in flight. */
export async function halfLoaded(
  call: Target,
  ms: number,
): Promise<{ readonly p50: number; readonly p99: number; readonly p999: number }> {
  const { perSecond, next } = await closedLoop(call, { inFlight: 256, ms: ms / 2 });
  const { latency } = await openLoop(call, { perSecond: perSecond / 2, ms, first: next });
  return latency;
}
