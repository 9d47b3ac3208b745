/** A token bucket for lines, used by both halves of `log`: the worker's saves traffic, the host's enforces the limit. */

/** Counts what passes and what does not. */
export interface LineBucket {
  /** True when a line may pass now; otherwise it is counted as dropped. */
  take(): boolean;
  /** Returns how many were dropped since the last call. */
  dropped(): number;
}

/**
 * Allows `perSecond` lines a second, `burst` of them at once. `now` returns milliseconds and may jump backwards.
 */
export function createLineBucket(perSecond: number, burst: number, now: () => number): LineBucket {
  let tokens = burst;
  let filled = now();
  let missed = 0;
  return {
    take() {
      const time = now();
      tokens = Math.min(burst, tokens + (Math.max(0, time - filled) / 1000) * perSecond);
      filled = time;
      if (tokens < 1) {
        missed += 1;
        return false;
      }
      tokens -= 1;
      return true;
    },
    dropped() {
      const count = missed;
      missed = 0;
      return count;
    },
  };
}
