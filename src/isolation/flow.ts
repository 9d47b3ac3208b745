/**
 * Rate limits on what one host process may send per second. What arrives may come from an attacker; the counts are the platform's
 * own.
 */
import { Rate } from "../common/rate.js";
import { WALLS } from "./limits.js";

const WORDS = {
  bytes: "bytes",
  strays: "frames for unknown workers",
  controls: "control messages",
} as const;

export class Flow {
  readonly #rates: Readonly<Record<keyof typeof WORDS, Rate>> = {
    bytes: new Rate(WALLS.bytesPerSecond),
    strays: new Rate(WALLS.straysPerSecond),
    controls: new Rate(WALLS.controlsPerSecond),
  };

  /** Counts `amount`; returns a reason when the limit is exceeded. */
  spend(what: keyof typeof WORDS, amount: number): string | undefined {
    const rate = this.#rates[what];
    if (rate.spend(amount)) return undefined;
    return `it flooded the platform: more than ${rate.perSecond} ${WORDS[what]} in a second`;
  }
}
