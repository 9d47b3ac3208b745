/** Schedules checks for changes that other programs make: soon after a notification, and now and then without one. */
import type { OperatorLog } from "../common/logger.js";
import { WATCH } from "./limits.js";

export interface PollSchedulerOptions {
  /** The subject, for the log. */
  readonly what: string;
  readonly logger: OperatorLog;
  /** True while every change is notified. */
  told(): boolean;
  /** Compares and restores. Never rejects. */
  look(): Promise<void>;
}

export class PollScheduler {
  readonly #options: PollSchedulerOptions;
  #slow: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #underWay = false;
  #again = false;
  #said = false;

  constructor(options: PollSchedulerOptions) {
    this.#options = options;
  }

  get started(): boolean {
    return this.#slow !== undefined;
  }

  start(): void {
    const ms = this.#options.told() ? WATCH.slowMs : WATCH.blindMs;
    this.#slow = setTimeout(() => {
      this.start();
      this.later(0);
    }, ms).unref();
  }

  /** Looks in `ms` milliseconds, or earlier if an earlier look is scheduled. */
  later(ms: number): void {
    if (!this.started) return;
    if (this.#underWay) this.#again = true;
    else this.#soon ??= setTimeout(() => void this.#look(), ms).unref();
  }

  stop(): void {
    clearTimeout(this.#slow);
    clearTimeout(this.#soon);
    this.#slow = undefined;
    this.#soon = undefined;
  }

  /** Changes are not notified any more: logs that once. From the next look on, looks come more often. */
  blind(why: string): void {
    if (this.#said) return;
    this.#said = true;
    const { what, logger } = this.#options;
    const words = `changes of others are looked for every ${WATCH.blindMs / 1000} s, since nothing tells of them: ${why}`;
    logger.warn({}, `${what}: ${words}`);
  }

  async #look(): Promise<void> {
    this.#soon = undefined;
    this.#underWay = true;
    await this.#options.look();
    this.#underWay = false;
    if (!this.#again) return;
    this.#again = false;
    this.later(WATCH.gapMs);
  }
}
