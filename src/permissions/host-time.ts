/**
 * Charges each plugin for main-thread time; over its burst allowance its requests are delayed. A fixed share of the thread
 * repays the debts of all plugins, in equal parts.
 */
import { HOST_TIME } from "./limits.js";

/** Shortest time between two repayments, in milliseconds. */
const REPAY_MS = 1;
/** Longest wait before the debt is checked again, in milliseconds: with fewer plugins in debt, repayment is faster. */
const RECHECK_MS = 100;

export class HostTime {
  /** Plugins in debt. */
  static readonly #owing = new Set<HostTime>();
  /** Time of the last repayment. */
  static #repaidAt = performance.now();
  /** Milliseconds spent by all plugins, decaying with a time constant of one second. */
  static #load = 0;

  /** Milliseconds spent and not repaid yet. */
  #debt = 0;
  /** Milliseconds spent on unasked frames and not repaid yet. */
  #unasked = 0;
  /** When the debt last rose above the burst allowance; undefined once it is fully repaid. */
  #owesSince: number | undefined;

  /** Milliseconds to wait before spending more, at most `RECHECK_MS`; 0: none. */
  get wait(): number {
    HostTime.#repay();
    const ms = (Math.max(0, this.#debt - HOST_TIME.burstMs) * HostTime.#owing.size) / HOST_TIME.share;
    return Math.min(ms, RECHECK_MS);
  }

  /** Milliseconds since the debt rose above the burst allowance; 0 once it is fully repaid. */
  get owedMs(): number {
    HostTime.#repay();
    return this.#owesSince === undefined ? 0 : HostTime.#repaidAt - this.#owesSince;
  }

  /** True for a flood: unasked frames, which cannot be delayed, exceed their allowance while all plugins load the thread. */
  get overdrawn(): boolean {
    HostTime.#repay();
    return this.#unasked > HOST_TIME.debtMs && HostTime.#load > HOST_TIME.loadMs;
  }

  /** Charges work that the host asked for or does on request: it can delay further requests, but never terminates the worker. */
  spend(ms: number): void {
    HostTime.#repay();
    HostTime.#load += ms;
    HostTime.#owing.add(this);
    this.#debt = Math.min(this.#debt + ms, HOST_TIME.debtMs / 2);
    if (this.#debt > HOST_TIME.burstMs) this.#owesSince ??= HostTime.#repaidAt;
  }

  /** Charges frames that the worker sent unasked. Too many terminate the worker. */
  spendUnasked(ms: number): void {
    this.spend(ms);
    // Capped: a large debt would take repayments from other plugins for long.
    this.#unasked = Math.min(this.#unasked + ms, 2 * HOST_TIME.debtMs);
  }

  /** Reduces the debt of a worker terminated for flooding, so that the next one is not terminated for it too. */
  reduceDebt(): void {
    this.#unasked = Math.min(this.#unasked, HOST_TIME.debtMs / 2);
  }

  /** Cancels the debt of an unloaded plugin: it would take repayments from others. */
  close(): void {
    this.#debt = 0;
    this.#unasked = 0;
    this.#repayOne(0);
  }

  /** Runs `work` and charges its duration, up to `HOST_TIME.pieceMs`: the thread may have been stalled meanwhile. */
  charge<T>(work: () => T): T {
    const began = performance.now();
    try {
      return work();
    } finally {
      this.spend(Math.min(performance.now() - began, HOST_TIME.pieceMs));
    }
  }

  /** Resolves when more may be spent, or `useless` returns true. */
  async free(useless: () => boolean = () => false): Promise<void> {
    for (let ms = this.wait; ms > 0 && !useless(); ms = this.wait)
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)).unref());
  }

  /** Repays the debts of all plugins, in equal parts. */
  static #repay(): void {
    const now = performance.now();
    const passed = now - HostTime.#repaidAt;
    if (passed < REPAY_MS) return;
    HostTime.#repaidAt = now;
    HostTime.#load *= Math.exp(-passed / 1000);
    const part = (passed * HOST_TIME.share) / HostTime.#owing.size;
    for (const one of HostTime.#owing) one.#repayOne(part);
  }

  #repayOne(ms: number): void {
    this.#debt = Math.max(0, this.#debt - ms);
    this.#unasked = Math.max(0, this.#unasked - ms);
    if (this.#debt > 0) return;
    this.#owesSince = undefined;
    if (this.#unasked === 0) HostTime.#owing.delete(this);
  }
}
