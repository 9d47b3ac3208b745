/** Closed loop: a fixed number of callers, each of which sends its next request when it gets a reply. Measures saturation. */
import { Histogram, type Quantiles } from "./histogram.js";

/** Sends the `n`-th request, and resolves with its reply. Every request has its own number. */
export type Target = (n: number) => Promise<unknown>;

export interface ClosedLoop {
  /** Concurrent requests. */
  readonly inFlight: number;
  /** Duration in milliseconds, after a warm-up of a quarter of that. */
  readonly ms: number;
  /** Number of the first request. */
  readonly first?: number;
}

export interface ClosedLoopResult {
  /** Replies per second. */
  readonly perSecond: number;
  readonly latency: Quantiles;
  /** Number of the next request. */
  readonly next: number;
}

/** Runs the loop. Rejects with the first failure of a request, once all pending ones have ended. */
export async function closedLoop(target: Target, { inFlight, ms, first = 0 }: ClosedLoop): Promise<ClosedLoopResult> {
  let n = first;
  const round = async (until: number): Promise<Histogram> => {
    const latency = new Histogram();
    let over = false;
    const caller = async (): Promise<void> => {
      for (let began = performance.now(); began < until && !over; ) {
        try {
          await target(n++);
        } catch (error) {
          over = true;
          throw error;
        }
        const now = performance.now();
        latency.record(now - began);
        began = now;
      }
    };
    const callers = await Promise.allSettled(Array.from({ length: inFlight }, caller));
    for (const one of callers) if (one.status === "rejected") throw one.reason;
    return latency;
  };
  await round(performance.now() + ms / 4);
  const began = performance.now();
  const latency = await round(began + ms);
  const perSecond = (latency.count / (performance.now() - began)) * 1000;
  return { perSecond, latency: latency.quantiles(), next: n };
}
