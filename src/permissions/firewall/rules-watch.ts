/** When the rules are looked at for what others may have changed: soon after a sign of it, and now and then without one. */
import { WATCH } from "../../protocol/limits.js";
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
  readonly #options: RulesWatchOptions;
  #events: RuleWatch | undefined;
  #slow: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #said = false;
  /** Who has changed something that was not looked at yet; undefined: nobody. */
  #who: string | undefined;

  constructor(options: RulesWatchOptions) {
    this.#options = options;
  }

  /** True while nobody else can have changed anything without a sign, and there is none. */
  get sure(): boolean {
    return this.#events?.alive === true && this.#who === undefined;
  }

  /** Begins, where it has not. What cannot be had is logged once; then there are looks alone, more often. */
  start(): void {
    if (this.#slow !== undefined) return;
    const { backend } = this.#options;
    try {
      this.#events = backend.watch({ changed: (who) => this.note(who), blind: (why) => this.#blind(why) });
    } catch (error) {
      this.#blind(error instanceof Error ? error.message : String(error));
    }
    this.#arm();
  }

  /** Somebody has changed something: it is looked at soon. */
  note(who: string): void {
    this.#who = who;
    this.later(WATCH.gatherMs);
  }

  /** Looks in so many milliseconds, or earlier where that is planned. */
  later(ms: number): void {
    if (this.#slow === undefined) return;
    if (this.#looking) this.#again = true;
    else this.#soon ??= setTimeout(() => void this.#look(), ms).unref();
  }

  /** Who it was, in words. From now on there is no sign of anything. */
  taken(): string | undefined {
    const who = this.#who;
    this.#who = undefined;
    return who;
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#slow);
    clearTimeout(this.#soon);
    this.#slow = undefined;
    this.#soon = undefined;
    this.#who = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.stop();
  }

  #arm(): void {
    const ms = this.#events?.alive === false || this.#events === undefined ? WATCH.blindMs : WATCH.slowMs;
    this.#slow = setTimeout(() => {
      this.#arm();
      this.later(0);
    }, ms).unref();
  }

  async #look(): Promise<void> {
    this.#soon = undefined;
    this.#looking = true;
    await this.#options.look();
    this.#looking = false;
    if (this.#again) {
      this.#again = false;
      this.later(WATCH.gapMs);
    }
  }

  #blind(why: string): void {
    if (this.#said) return;
    this.#said = true;
    const words = `changes of others are looked for every ${WATCH.blindMs / 1000} s, since nothing tells of them: ${why}`;
    this.#options.logger.warn({}, `firewall: ${words}`);
  }
}
