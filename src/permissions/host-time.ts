/**
 * What one plugin has of the platform's own thread. Its requests are the host's work, done where all calls of all plugins pass:
 * whoever asks for much of it waits, so that the rest have their turn. All who ask for much have one share together, in equal
 * parts: there is one thread, however many plugins there are. Measured on the host's side; no worker can forge it.
 */
import { TIMES } from "../protocol/limits.js";

/** Those who take much of the thread, or did a moment ago. */
const many = new Set<HostTime>();

export class HostTime {
  /** Milliseconds spent and not given back yet. */
  #debt = 0;
  /** The same of what it sent by itself. */
  #unasked = 0;
  /** Milliseconds spent in about the last second. */
  #recent = 0;
  #at = performance.now();
  /** Until when it counts among the many. */
  #counts = 0;
  /** Since when it has owed more than its burst, and never been quit of it all. */
  #owesSince: number | undefined;

  /** Milliseconds until more may be spent; 0: at once. Never less than in truth, unless others have their turn meanwhile. */
  get wait(): number {
    this.#giveBack();
    return Math.max(0, this.#debt - TIMES.hostBurst) / this.#share();
  }

  /** For how long it has had to wait again and again; 0: it does not. */
  get owedMs(): number {
    this.#giveBack();
    return this.#owesSince === undefined ? 0 : this.#at - this.#owesSince;
  }

  /** True when more was spent unasked than waiting can answer for: it was paid before it could be made to wait. */
  get overdrawn(): boolean {
    this.#giveBack();
    return this.#unasked > TIMES.hostDebt;
  }

  /** For what was asked of it, or is done at its request: it may have to wait for that, and cannot be ended for it. */
  spend(ms: number): void {
    this.#giveBack();
    this.#debt = Math.min(this.#debt + ms, TIMES.hostDebt / 2);
    this.#recent += ms;
    if (this.#debt > TIMES.hostBurst) this.#owesSince ??= this.#at;
    if (this.#debt > TIMES.hostBurst || this.#recent > TIMES.hostMuch) {
      this.#counts = this.#at + TIMES.hostMemory;
      many.add(this);
    }
  }

  /** For what it sent by itself. */
  spendUnasked(ms: number): void {
    this.spend(ms);
    this.#unasked += ms;
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

  #giveBack(): void {
    const now = performance.now();
    const back = (now - this.#at) * this.#share();
    this.#recent *= Math.exp((this.#at - now) / 1000);
    this.#debt = Math.max(0, this.#debt - back);
    this.#unasked = Math.max(0, this.#unasked - back);
    this.#at = now;
    if (this.#debt === 0) this.#owesSince = undefined;
  }

  /** Its part of the thread: the whole share, unless it is one of several who take much. */
  #share(): number {
    if (!many.has(this)) return TIMES.hostShare;
    const now = performance.now();
    for (const one of many) if (one.#counts < now) many.delete(one);
    return TIMES.hostShare / Math.max(1, many.size);
  }
}
