/**
 * What one plugin has of the platform's own thread. Its requests are the host's work, done where all calls of all plugins pass:
 * whoever asks for much of it waits, so that the rest have their turn. Measured on the host's side; no worker can forge it.
 */
import { TIMES } from "../protocol/limits.js";

export class HostTime {
  /** Milliseconds spent and not given back yet. */
  #debt = 0;
  #at = performance.now();
  /** Since when it has owed more than its burst, and never been quit of it all. */
  #owesSince: number | undefined;

  /** Milliseconds until more may be spent; 0: at once. */
  get wait(): number {
    this.#giveBack();
    return Math.max(0, this.#debt - TIMES.hostBurst) / TIMES.hostShare;
  }

  /** For how long it has had to wait again and again; 0: it does not. */
  get owedMs(): number {
    this.#giveBack();
    return this.#owesSince === undefined ? 0 : this.#at - this.#owesSince;
  }

  /** True when more was spent unasked than waiting can answer for: it was paid before it could be made to wait. */
  get overdrawn(): boolean {
    this.#giveBack();
    return this.#debt > TIMES.hostDebt;
  }

  /** For what was asked of it, or is done at its request: it may have to wait for that, and cannot be ended for it. */
  spend(ms: number): void {
    this.#giveBack();
    this.#owe(Math.max(this.#debt, Math.min(this.#debt + ms, TIMES.hostDebt / 2)));
  }

  /** For what it sent by itself. */
  spendUnasked(ms: number): void {
    this.#giveBack();
    this.#owe(this.#debt + ms);
  }

  /** Does a piece of work, at its plugin's expense. A thread that stood still meanwhile is not all on that account. */
  charge<T>(work: () => T): T {
    const began = performance.now();
    try {
      return work();
    } finally {
      this.spend(Math.min(performance.now() - began, TIMES.hostPiece));
    }
  }

  /** Resolves when more may be spent. */
  async free(): Promise<void> {
    for (let ms = this.wait; ms > 0; ms = this.wait)
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)).unref());
  }

  #owe(debt: number): void {
    this.#debt = debt;
    if (debt > TIMES.hostBurst) this.#owesSince ??= this.#at;
  }

  #giveBack(): void {
    const now = performance.now();
    this.#debt = Math.max(0, this.#debt - (now - this.#at) * TIMES.hostShare);
    this.#at = now;
    if (this.#debt === 0) this.#owesSince = undefined;
  }
}
