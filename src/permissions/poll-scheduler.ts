/** Schedules checks for changes that other programs make: soon after a notification, and at intervals without one. */
import type { OperatorLog } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import { WATCH } from "./limits.js";

/** Delivers notifications until it is stopped. */
export interface ChangeMonitor {
  /** False while changes can pass unseen. */
  readonly alive: boolean;
  stop(): Promise<void>;
}

export interface PollSchedulerOptions {
  /** The subject, for the log. */
  readonly what: string;
  readonly logger: OperatorLog;
  /** Subscribes to notifications. `blind` takes the reason when they stop. */
  subscribe(blind: (why: string) => void): ChangeMonitor;
  /** Compares and restores. Never rejects. */
  poll(): Promise<void>;
}

export class PollScheduler {
  readonly #options: PollSchedulerOptions;
  #monitor: ChangeMonitor | undefined;
  #interval: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #polling = false;
  #again = false;
  #blindLogged = false;

  constructor(options: PollSchedulerOptions) {
    this.#options = options;
  }

  /** True while every change is notified. */
  get notified(): boolean {
    return this.#monitor?.alive === true;
  }

  /** Subscribes and begins to poll, unless it has. Without notifications it polls more often. */
  start(): void {
    if (this.#interval !== undefined) return;
    const blind = (why: string): void => this.#blind(why);
    try {
      this.#monitor = this.#options.subscribe(blind);
    } catch (error) {
      blind(messageOf(error));
    }
    this.#schedule();
  }

  /** Polls in `ms` milliseconds, or earlier if an earlier poll is scheduled. */
  pollIn(ms: number): void {
    if (this.#interval === undefined) return;
    if (this.#polling) this.#again = true;
    else this.#soon ??= setTimeout(() => void this.#poll(), ms).unref();
  }

  /** Unsubscribes. Resolves when the monitor has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#interval);
    clearTimeout(this.#soon);
    this.#interval = undefined;
    this.#soon = undefined;
    const monitor = this.#monitor;
    this.#monitor = undefined;
    await monitor?.stop();
  }

  #schedule(): void {
    const ms = this.notified ? WATCH.slowMs : WATCH.blindMs;
    this.#interval = setTimeout(() => {
      this.#schedule();
      this.pollIn(0);
    }, ms).unref();
  }

  #blind(why: string): void {
    if (this.#blindLogged) return;
    this.#blindLogged = true;
    const { what, logger } = this.#options;
    const interval = `${WATCH.blindMs / 1000} s`;
    logger.warn(
      {},
      `${what}: other programs' changes are looked for every ${interval}, since notifications are missing: ${why}`,
    );
  }

  async #poll(): Promise<void> {
    this.#soon = undefined;
    this.#polling = true;
    await this.#options.poll();
    this.#polling = false;
    if (!this.#again) return;
    this.#again = false;
    this.pollIn(WATCH.gapMs);
  }
}
