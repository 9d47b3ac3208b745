/** Counts the calls that are sent and not settled. */
export class InFlightCount {
  #count = 0;
  #waiting: Array<() => void> = [];

  get any(): boolean {
    return this.#count > 0;
  }

  add(): void {
    this.#count++;
  }

  done(): void {
    if (--this.#count > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when no call is in flight any more. */
  drained(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
