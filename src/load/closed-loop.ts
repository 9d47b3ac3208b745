/** Closed loop: a fixed number of callers, each asking again as soon as it is answered. What it finds is saturation. */
import { Histogram, type Quantiles } from "./histogram.js";

/** What is put under load: its `n`-th request, which resolves when that is answered. No two have the same number. */
export type Target = (n: number) => Promise<unknown>;

export interface ClosedLoop {
  /** Requests under way at any time. */
  readonly inFlight: number;
  /** How long is counted, in milliseconds, after a warm-up of a quarter of that. */
  readonly ms: number;
  /** Number of the first request. */
  readonly first?: number;
}

export interface ClosedLoopResult {
  /** Answers per second. */
  readonly perSecond: number;
  readonly latency: Quantiles;
  /** Number of the next request. */
  readonly next: number;
}

/** Rejects with the first failure of a request, when all that were under way have ended. */
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
