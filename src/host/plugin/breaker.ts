/**
 * Circuit breaker: counts a plugin's crashes over a window, and decides how long to wait before the next start and when to
 * stop trying.
 */

import { RESTARTS } from "../../common/limits.js";
import { HOST } from "../limits.js";

export class Breaker {
  #crashes: number[] = [];
  #blocks: number[] = [];
  #recent: number[] = [];
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts a crash; `blocked`: the worker was terminated because it blocked. */
  crash(blocked: boolean): void {
    const now = this.#now();
    const fresh = (at: number): boolean => now - at < RESTARTS.windowMs;
    this.#crashes = [...this.#crashes.filter(fresh), now];
    this.#recent = [...this.#recent.filter(fresh), now];
    this.#blocks = this.#blocks.filter(fresh);
    if (blocked) this.#blocks.push(now);
  }

  /** Crashes within the window, including forgiven ones. */
  get recentCrashes(): number {
    const now = this.#now();
    return this.#recent.filter((at) => now - at < RESTARTS.windowMs).length;
  }

  get open(): boolean {
    return this.#crashes.length >= HOST.breakerCrashes;
  }

  /** True when the plugin has blocked repeatedly: its default deadline then applies. */
  get strict(): boolean {
    return this.#blocks.length >= HOST.repeatBlocks;
  }

  /** Milliseconds before the next start: none after the first crash, then doubling. */
  get pause(): number {
    const again = this.#crashes.length - 1;
    return again <= 0 ? 0 : Math.min(RESTARTS.maxMs, RESTARTS.firstMs * 2 ** (again - 1));
  }

  /** Allows one more try after the breaker has been open: a single further crash opens it again. */
  halfOpen(): void {
    this.#crashes = this.#crashes.slice(-(HOST.breakerCrashes - 1));
    const now = this.#now();
    this.#crashes = this.#crashes.map(() => now);
  }

  /** Clears the count after a reload: the plugin is started at once again. */
  resetCount(): void {
    this.#crashes = [];
    this.#blocks = [];
  }

  /** Clears the record too: it belongs to other code. */
  resetHistory(): void {
    this.resetCount();
    this.#recent = [];
  }
}
