/** What a plugin has used since it was loaded: its drivers' time for calls, CPU time and memory. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/**
 * Latency of calls, in milliseconds, from sending a call to the worker to its reply. `config` and replays count too; a call
 * without a reply does not.
 */
export interface Latency {
  /** Replies so far. */
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Sum over all replies. */
  readonly total: number;
}

/** Two significant digits; microseconds, up to ten minutes. */
const RANGE = { lowest: 1, highest: 600_000_000, figures: 2 } as const;

/** A worker, as far as its use of the machine is concerned. */
export interface MeasuredWorker {
  /** CPU time of the worker, in milliseconds (see `Session.cpuMs`). */
  readonly cpuMs: number;
}

export class Usage {
  readonly #took: RecordableHistogram = createHistogram(RANGE);
  #totalMs = 0;
  /** CPU time of the workers that have ended. */
  #spentMs = 0;

  replied(ms: number): void {
    this.#totalMs += ms;
    this.#took.record(Math.min(Math.max(1, Math.round(ms * 1000)), RANGE.highest));
  }

  ended({ cpuMs }: MeasuredWorker): void {
    this.#spentMs += cpuMs;
  }

  latency(): Latency {
    const took = this.#took;
    if (took.count === 0) return { count: 0, p50: 0, p99: 0, max: 0, total: 0 };
    return {
      count: took.count,
      p50: took.percentile(50) / 1000,
      p99: took.percentile(99) / 1000,
      max: took.max / 1000,
      total: this.#totalMs,
    };
  }

  /** CPU time so far, in milliseconds, `current` included. */
  cpuMs(current: MeasuredWorker | undefined): number {
    return Math.round(this.#spentMs + (current?.cpuMs ?? 0));
  }
}
