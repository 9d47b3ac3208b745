/** Remembers that other programs may have changed the rules, and which, from the kernel's notification until the next look. */
import type { OperatorLog } from "../../common/logger.js";
import { messageOf } from "../../common/text.js";
import { WATCH } from "../limits.js";
import { PollScheduler } from "../poll-scheduler.js";
import type { FirewallBackend } from "./backend.js";
import type { RuleWatch } from "./rule-events.js";

export interface RulesWatchOptions {
  readonly backend: FirewallBackend;
  readonly logger: OperatorLog;
  /** Compares and restores. Never rejects. */
  look(): Promise<void>;
}

export class RulesWatch {
  readonly #backend: FirewallBackend;
  readonly #looking: PollScheduler;
  #events: RuleWatch | undefined;
  /** Who has made a change that has not been looked at yet; undefined: nobody. */
  #who: string | undefined;

  constructor({ backend, logger, look }: RulesWatchOptions) {
    this.#backend = backend;
    this.#looking = new PollScheduler({ what: "firewall", logger, told: () => this.#events?.alive === true, look });
  }

  /** True while every change would be notified, and none has been. */
  get sure(): boolean {
    return this.#events?.alive === true && this.#who === undefined;
  }

  /** Starts watching, unless it has started. Logs once if notifications cannot be had; looks then come more often instead. */
  start(): void {
    if (this.#looking.started) return;
    try {
      const blind = (why: string): void => this.#looking.blind(why);
      this.#events = this.#backend.watch({ changed: (who) => this.note(who), blind });
    } catch (error) {
      this.#looking.blind(messageOf(error));
    }
    this.#looking.start();
  }

  /** Somebody has changed something: looks soon. */
  note(who: string): void {
    this.#who = who;
    this.later(WATCH.gatherMs);
  }

  /** Looks in `ms` milliseconds, or earlier if an earlier look is scheduled. */
  later(ms: number): void {
    this.#looking.later(ms);
  }

  /** Returns who made the noted change, in words, and forgets it. */
  taken(): string | undefined {
    const who = this.#who;
    this.#who = undefined;
    return who;
  }

  /** Stops watching. Resolves when nothing of it runs. */
  async stop(): Promise<void> {
    this.#looking.stop();
    this.#who = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.stop();
  }
}
