/** Rate limits: how much of something may happen in a second. */

/** Counts amounts by the second. */
export class Rate {
  readonly perSecond: number;
  #since = 0;
  #spent = 0;

  constructor(perSecond: number) {
    this.perSecond = perSecond;
  }

  /** Spends `amount`; returns false when the second's budget is used up. */
  spend(amount: number): boolean {
    const now = performance.now();
    if (now - this.#since >= 1000) {
      this.#since = now;
      this.#spent = 0;
    }
    this.#spent += amount;
    return this.#spent <= this.perSecond;
  }
}
