/** Back-off for repairs that another program keeps undoing: some at once, then with growing delays. */
import { monotonicNow } from "../common/clock.js";
import { WATCH } from "./limits.js";

export class BackOff {
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Milliseconds until the next repair. */
  get wait(): number {
    const now = monotonicNow();
    if (now - this.#last > WATCH.quietMs) this.#count = 0;
    const over = this.#count - WATCH.atOnce;
    const pause = over < 0 ? 0 : Math.min(WATCH.pauseMs * 2 ** over, WATCH.pauseMaxMs);
    return Math.max(0, this.#last + pause - now);
  }

  /** True once repairs are delayed. */
  get slow(): boolean {
    return this.#count > WATCH.atOnce;
  }

  /** Counts a repair. */
  done(): void {
    this.#count++;
    this.#last = monotonicNow();
  }
}
