/**
 * Enforces a plugin's CPU quota: CPU time beyond the platform's calls, in timers and microtasks, is counted over a window. A
 * plugin over its quota is throttled; if it is still over it a window later, it is terminated.
 */
import { SESSION } from "./limits.js";

export interface CpuWatchOptions {
  /** Share of one core it may use beyond its calls, in per cent. */
  readonly percent: number;
  /** Milliseconds its loop has been busy since its start. */
  busyMs(): number;
  throttle(on: boolean): void;
  end(reason: string): void;
}

interface Sample {
  readonly at: number;
  readonly unasked: number;
}

export class CpuWatch {
  readonly #options: CpuWatchOptions;
  #samples: Sample[] = [];
  #lastBusy: number;
  /** Time with calls in flight, up to `#servingSince`. */
  #live = 0;
  #servingSince: number | undefined;
  #throttledAt: number | undefined;

  constructor(options: CpuWatchOptions) {
    this.#options = options;
    this.#lastBusy = options.busyMs();
  }

  /** What `busyMs` gave at the last check. */
  get lastBusyMs(): number {
    return this.#lastBusy;
  }

  /** Records that calls are in flight from now on, or no longer. */
  serving(on: boolean, now: number): void {
    if (on) this.#servingSince ??= now;
    else if (this.#servingSince !== undefined) {
      this.#live += now - this.#servingSince;
      this.#servingSince = undefined;
    }
  }

  /** Checks once; called every second or two. */
  check(now: number): void {
    if (this.#servingSince !== undefined) {
      this.#live += now - this.#servingSince;
      this.#servingSince = now;
    }
    const busy = this.#options.busyMs();
    // The loop's time is up to a second old, so that a call's work can show up after the call: only sums are meaningful.
    const unasked = busy - this.#lastBusy - this.#live;
    this.#samples = [...this.#samples.filter(({ at }) => now - at < SESSION.cpuWindowMs), { at: now, unasked }];
    this.#lastBusy = busy;
    this.#live = 0;
    const spent = this.#samples.reduce((sum, one) => sum + one.unasked, 0);
    const over = spent > (SESSION.cpuWindowMs * this.#options.percent) / 100;
    if (!over) {
      if (this.#throttledAt !== undefined) this.#options.throttle(false);
      this.#throttledAt = undefined;
    } else if (this.#throttledAt === undefined) {
      this.#throttledAt = now;
      this.#options.throttle(true);
    } else if (now - this.#throttledAt >= SESSION.cpuWindowMs) {
      this.#options.end(
        `it used ${Math.round(spent)} ms of CPU time in ${SESSION.cpuWindowMs / 1000} s beyond its calls, and may use ${this.#options.percent} % (limits.cpuPercent)`,
      );
    }
  }
}
