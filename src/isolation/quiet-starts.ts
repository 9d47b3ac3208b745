/** Delays starts that are not urgent until nothing urgent has been started for a while, then runs them one at a time. */

export interface Timers {
  set(call: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

const REAL: Timers = {
  set: (call, ms) => setTimeout(call, ms).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

export class QuietStarts<Key> {
  readonly #quietMs: number;
  readonly #timers: Timers;
  readonly #wanted = new Map<Key, () => void>();
  #timer: unknown;

  /** `quietMs`: how long nothing else may have been started, in milliseconds. */
  constructor(quietMs: number, timers: Timers = REAL) {
    this.#quietMs = quietMs;
    this.#timers = timers;
  }

  /** Calls `start` after a quiet time; a later request with the same key takes its place. */
  want(key: Key, start: () => void): void {
    this.#wanted.set(key, start);
    this.busy();
  }

  /** Begins the quiet time again; called when something urgent is started. */
  busy(): void {
    this.#timers.clear(this.#timer);
    if (this.#wanted.size > 0) this.#timer = this.#timers.set(() => this.#next(), this.#quietMs);
  }

  close(): void {
    this.#wanted.clear();
    this.#timers.clear(this.#timer);
  }

  #next(): void {
    for (const [key, start] of this.#wanted) {
      this.#wanted.delete(key);
      this.busy();
      start();
      return;
    }
  }
}
