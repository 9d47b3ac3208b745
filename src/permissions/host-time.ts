/**
 * What one plugin has of the platform's own thread. Its requests are the host's work, done where all calls of all plugins pass:
 * what it has cost there it owes, and who owes more than a burst waits, so that the rest have their turn. All who owe are given the
 * same share together, in equal parts, for there is one thread, however many plugins there are. Measured on the host's side; no
 * worker can forge it.
 */
import { HOST_TIME } from "./limits.js";

/** Milliseconds between which nothing is given back: who asks more often is told the same. */
const TICK = 1;
/** Milliseconds after which who waits looks again: others may have come or gone. */
const LOOK = 100;

export class HostTime {
  /** Those who owe. Nobody leaves before that is paid. */
  static readonly #owing = new Set<HostTime>();
  /** Up to when it has been given back. */
  static #at = performance.now();
  /** Milliseconds spent by all in about the last second. */
  static #load = 0;

  /** Milliseconds spent and not given back yet. */
  #debt = 0;
  /** Of those, what it sent by itself. */
  #unasked = 0;
  /** Since when it has owed more than its burst, and never been quit of it all. */
  #owesSince: number | undefined;

  /** Milliseconds until more may be spent, as things stand; 0: at once. Look again after a while: others come and go. */
  get wait(): number {
    HostTime.#giveBack();
    const ms = (Math.max(0, this.#debt - HOST_TIME.burstMs) * HostTime.#owing.size) / HOST_TIME.share;
    return Math.min(ms, LOOK);
  }

  /** For how long it has had to wait again and again; 0: it does not. */
  get owedMs(): number {
    HostTime.#giveBack();
    return this.#owesSince === undefined ? 0 : HostTime.#at - this.#owesSince;
  }

  /**
   * True when more was spent unasked than waiting can answer for: it was paid before it could be made to wait. While there is enough
   * of the thread for all, nobody is to blame.
   */
  get overdrawn(): boolean {
    HostTime.#giveBack();
    return this.#unasked > HOST_TIME.debtMs && HostTime.#load > HOST_TIME.loadMs;
  }

  /** For what was asked of it, or is done at its request: it may have to wait for that, and cannot be ended for it. */
  spend(ms: number): void {
    HostTime.#giveBack();
    HostTime.#load += ms;
    HostTime.#owing.add(this);
    this.#debt = Math.min(this.#debt + ms, HOST_TIME.debtMs / 2);
    if (this.#debt > HOST_TIME.burstMs) this.#owesSince ??= HostTime.#at;
  }

  /** For what it sent by itself. */
  spendUnasked(ms: number): void {
    this.spend(ms);
    // What would never be paid is not written down: it would take parts from others long after.
    this.#unasked = Math.min(this.#unasked + ms, 2 * HOST_TIME.debtMs);
  }

  /** Its worker has been ended for what it sent: the next one is not ended for that, too. */
  forgive(): void {
    this.#unasked = Math.min(this.#unasked, HOST_TIME.debtMs / 2);
  }

  /** Its plugin is gone: what it owes is not paid at others' expense. */
  close(): void {
    this.#debt = 0;
    this.#unasked = 0;
    this.#receive(0);
  }

  /** Does a piece of work, at its plugin's expense. A thread that stood still meanwhile is not all on that account. */
  charge<T>(work: () => T): T {
    const began = performance.now();
    try {
      return work();
    } finally {
      this.spend(Math.min(performance.now() - began, HOST_TIME.pieceMs));
    }
  }

  /** Resolves when more may be spent, or there is no use in it any more. */
  async free(useless: () => boolean = () => false): Promise<void> {
    for (let ms = this.wait; ms > 0 && !useless(); ms = this.wait)
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)).unref());
  }

  /** To all who owe, in equal parts. */
  static #giveBack(): void {
    const now = performance.now();
    const passed = now - HostTime.#at;
    if (passed < TICK) return;
    HostTime.#at = now;
    HostTime.#load *= Math.exp(-passed / 1000);
    const part = (passed * HOST_TIME.share) / HostTime.#owing.size;
    for (const one of HostTime.#owing) one.#receive(part);
  }

  #receive(ms: number): void {
    this.#debt = Math.max(0, this.#debt - ms);
    this.#unasked = Math.max(0, this.#unasked - ms);
    if (this.#debt > 0) return;
    this.#owesSince = undefined;
    if (this.#unasked === 0) HostTime.#owing.delete(this);
  }
}
