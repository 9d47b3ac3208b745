/** How soon something is put right again that somebody keeps undoing: at once at first, then with growing pauses. */
import { monotonicNow } from "../common/clock.js";
import { WATCH } from "./limits.js";

export class BackOff {
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Milliseconds until it may be done again. */
  get wait(): number {
    const now = monotonicNow();
    if (now - this.#last > WATCH.quietMs) this.#count = 0;
    const over = this.#count - WATCH.atOnce;
    const pause = over < 0 ? 0 : Math.min(WATCH.pauseMs * 2 ** over, WATCH.pauseMaxMs);
    return Math.max(0, this.#last + pause - now);
  }

  /** True when it has been done so often that there are pauses. */
  get slow(): boolean {
    return this.#count > WATCH.atOnce;
  }

  /** It has been done. */
  done(): void {
    this.#count++;
    this.#last = monotonicNow();
  }
}
