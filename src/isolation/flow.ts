/**
 * Rate limits on what one host process may send per second, over all its streams. What arrives may come from an attacker; the
 * counts are the platform's own.
 */
import { Rate } from "../common/rate.js";
import { WALLS } from "./limits.js";

const WORDS = {
  bytes: "bytes",
  controls: "control messages",
} as const;

export class Flow {
  readonly #rates: Record<keyof typeof WORDS, Rate> = {
    bytes: new Rate(WALLS.bytesPerSecond),
    controls: new Rate(WALLS.controlsPerSecond),
  };

  /** Counts `amount`; returns a reason when the limit is exceeded. */
  spend(what: keyof typeof WORDS, amount: number): string | undefined {
    const rate = this.#rates[what];
    if (rate.spend(amount)) return undefined;
    return `it flooded the platform: more than ${rate.perSecond} ${WORDS[what]} in a second`;
  }

  /** Begins a new count. */
  restart(what: keyof typeof WORDS): void {
    this.#rates[what] = new Rate(this.#rates[what].perSecond);
  }
}
