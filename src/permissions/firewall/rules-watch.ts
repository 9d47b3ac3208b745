/** Whether others may have changed the rules, and who: kept from the kernel's word of it until it has been looked at. */
import { WATCH } from "../../protocol/limits.js";
import { Looking } from "../looking.js";
import type { NetlinkLogger } from "../netlink/hub.js";
import type { FirewallBackend } from "./backend.js";
import type { RuleWatch } from "./rule-events.js";

export interface RulesWatchOptions {
  readonly backend: FirewallBackend;
  readonly logger: NetlinkLogger;
  /** Compares and restores. Never rejects. */
  look(): Promise<void>;
}

export class RulesWatch {
  readonly #backend: FirewallBackend;
  readonly #looking: Looking;
  #events: RuleWatch | undefined;
  /** Who has changed something that was not looked at yet; undefined: nobody. */
  #who: string | undefined;

  constructor({ backend, logger, look }: RulesWatchOptions) {
    this.#backend = backend;
    this.#looking = new Looking({ what: "firewall", logger, told: () => this.#events?.alive === true, look });
  }

  /** True while nobody else can have changed anything without a sign, and there is none. */
  get sure(): boolean {
    return this.#events?.alive === true && this.#who === undefined;
  }

  /** Begins, where it has not. What cannot be had is logged once; then there are looks alone, more often. */
  start(): void {
    if (this.#looking.started) return;
    try {
      const blind = (why: string): void => this.#looking.blind(why);
      this.#events = this.#backend.watch({ changed: (who) => this.note(who), blind });
    } catch (error) {
      this.#looking.blind(error instanceof Error ? error.message : String(error));
    }
    this.#looking.start();
  }

  /** Somebody has changed something: it is looked at soon. */
  note(who: string): void {
    this.#who = who;
    this.later(WATCH.gatherMs);
  }

  /** Looks in so many milliseconds, or earlier where that is planned. */
  later(ms: number): void {
    this.#looking.later(ms);
  }

  /** Who it was, in words. From now on there is no sign of anything. */
  taken(): string | undefined {
    const who = this.#who;
    this.#who = undefined;
    return who;
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#looking.stop();
    this.#who = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.stop();
  }
}
