/**
 * Rate limits on what one host process may send per second. Everything it sends may be an attacker's; the platform's count of
 * it is not.
 */
import { WALLS } from "../protocol/limits.js";

type Counted = "bytes" | "strays" | "controls";

const PER_SECOND: Readonly<Record<Counted, number>> = {
  bytes: WALLS.bytesPerSecond,
  strays: WALLS.straysPerSecond,
  controls: WALLS.controlsPerSecond,
};

const WORDS: Readonly<Record<Counted, string>> = {
  bytes: "bytes",
  strays: "frames of workers that are not there",
  controls: "control messages",
};

export class Flow {
  #since = 0;
  #spent: Record<Counted, number> = { bytes: 0, strays: 0, controls: 0 };

  /** Counts `amount`; returns a reason when the limit is exceeded. */
  spend(what: Counted, amount: number): string | undefined {
    const now = performance.now();
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#spent = { bytes: 0, strays: 0, controls: 0 };
    }
    this.#spent[what] += amount;
    if (this.#spent[what] <= PER_SECOND[what]) return undefined;
    return `it flooded the platform: more than ${PER_SECOND[what]} ${WORDS[what]} in a second`;
  }
}
