/** Compares our tables with their text right after they were programmed, and restores what other programs have changed. */
import type { OperatorLog } from "../../common/logger.js";
import { BackOff } from "../back-off.js";
import { announce, type ExternalChange } from "../external-changes.js";
import { WATCH } from "../limits.js";
import { PollScheduler } from "../poll-scheduler.js";
import { type FirewallBackend, LACKS } from "./backend.js";
import type { FirewallRule } from "./rule.js";
import type { Surroundings } from "./surroundings.js";
import type { RuleTables } from "./tables.js";

export interface RuleRestorerOptions {
  readonly backend: FirewallBackend;
  readonly tables: RuleTables;
  readonly around: Surroundings;
  readonly logger: OperatorLog;
  report(change: ExternalChange): void;
  /** Calls `restore` between two batches. Never rejects. */
  poll(): Promise<void>;
}

export class RuleRestorer {
  readonly #options: RuleRestorerOptions;
  readonly #scheduler: PollScheduler;
  readonly #backOff = new BackOff();
  /** The text of our tables and of the guard, as they were programmed. */
  #known: ReadonlyMap<string, string> = new Map();
  /** The program that made a change since the last comparison, in words; undefined: no change is known. */
  #changedBy: string | undefined;
  /** The tables that other programs have changed since then. */
  readonly #touched = new Set<string>();
  /** True: tables were programmed, and their text has not been remembered yet. */
  #stale = false;
  #slow = false;

  constructor(options: RuleRestorerOptions) {
    this.#options = options;
    const { backend, logger, poll } = options;
    this.#scheduler = new PollScheduler({
      what: "firewall",
      logger,
      subscribe: (blind) => backend.watch({ changed: (by, names) => this.note(by, names), blind }),
      poll,
    });
  }

  /** True while every change would be notified, and none has been. */
  get unchanged(): boolean {
    return this.#scheduler.notified && this.#changedBy === undefined;
  }

  /** Notes a change by another program, to the tables of these names: compares soon. */
  note(by: string, names: readonly string[] = []): void {
    this.#changedBy = by;
    for (const name of names) this.#touched.add(name);
    this.#scheduler.pollIn(WATCH.gatherMs);
  }

  /** Stops watching. Resolves when no monitor runs. */
  async stop(): Promise<void> {
    this.#changedBy = undefined;
    this.#touched.clear();
    await this.#scheduler.stop();
  }

  /** Sets up what has to exist outside our tables. Call it right after tables were programmed, and `remember` after it. */
  async programmed(rules: readonly FirewallRule[]): Promise<void> {
    const { tables, logger } = this.#options;
    this.#stale = true;
    const settled = this.#settle();
    // Without bridges `#settle` removes the guard, so it must end before `forward`; otherwise the two are independent.
    if (tables.bridges.length === 0) await settled;
    const opened = await tables.forward(rules).finally(() => settled);
    if (opened.length === 0) return;
    const words = `firewall: forwarding of ${named(opened)} is switched on in this namespace while there are rules; what others would have it forward is dropped`;
    logger.warn({ families: opened }, words);
  }

  /**
   * Remembers the text of what was programmed. Callers need not wait: a change by another program before that is notified, and restored
   * without comparing texts. Never rejects.
   */
  async remember(): Promise<void> {
    if (!this.#stale) return;
    try {
      this.#remembered(await this.#options.backend.listing());
    } catch (error) {
      this.#options.logger.warn({ err: error }, "firewall: rules could not be read back");
    }
  }

  /** Restores what other programs have changed since the last comparison. Rejects when rules cannot be listed or programmed. */
  async restore(): Promise<void> {
    const { tables } = this.#options;
    if (!tables.loaded || tables.rows.size === 0) return;
    const { wait } = this.#backOff;
    if (wait > 0) return this.#scheduler.pollIn(wait);
    const by = this.#changedBy ?? "another program";
    this.#changedBy = undefined;
    await this.#restoreTables(by, await tables.inspect());
    await this.#restoreNeighbours();
    if (this.#backOff.slow && !this.#slow) {
      const words = `rules of ours are removed again and again (by ${by}); from now on they are restored with pauses`;
      this.#options.logger.error({}, `firewall: ${words}; stop what removes them`);
    }
    this.#slow = this.#backOff.slow;
  }

  /** `all`: also programs the tables that have not been changed. */
  async #restoreTables(by: string, all: boolean): Promise<void> {
    const { backend, tables } = this.#options;
    const touched = new Set(this.#touched);
    this.#touched.clear();
    const now = await backend.listing();
    if (this.#stale) this.#remembered(now);
    // A batch may have programmed a table again since another program changed it: that is reported too.
    const changed = (name: string): boolean =>
      touched.has(name) || !this.#known.has(name) || this.#known.get(name) !== now.get(name);
    const lost = tables.own.filter(({ name }) => changed(name));
    const guard = backend.guarded && changed(tables.guard);
    const put = all ? tables.own : lost;
    if (put.length > 0) await tables.put(put.map(({ plugin }) => plugin));
    const off = await tables.forward(tables.rules, guard);
    if (lost.length > 0 || guard || off.length > 0) this.#backOff.done();
    if (put.length > 0 || guard || off.length > 0) this.#remembered(await backend.listing());
    for (const { plugin } of lost) {
      const detail = `the rules of plugin "${plugin}" had been changed or removed by ${by}, and are restored`;
      announce("firewall", { event: "rules-restored", plugin, detail }, this.#options);
    }
    if (guard) {
      const detail = `the guard of forwarding had been removed by ${by}, and is restored`;
      announce("firewall", { event: "rules-restored", detail }, this.#options);
    }
    if (off.length > 0) {
      const detail = `forwarding of ${named(off)} had been switched off by another program, and is on again`;
      announce("firewall", { event: "forwarding-restored", detail }, this.#options);
    }
  }

  /** Restores the neighbours' accept rules, which `around` logs. */
  async #restoreNeighbours(): Promise<void> {
    const { tables, around, report } = this.#options;
    const admitted = await around.admit(tables.bridges);
    if (admitted.length === 0) return;
    const detail = `what lets our packets pass was missing and is put in: ${admitted.join(", ")}`;
    report({ event: "rules-restored", detail });
    this.#backOff.done();
  }

  /**
   * Brings what is outside our tables in line with all tables named as ours are, since another host's may need what ours put there. A
   * failure is only logged, since the rules themselves are programmed.
   */
  async #settle(): Promise<void> {
    const { backend, tables, around, logger } = this.#options;
    try {
      const { bridges } = tables;
      if (bridges.length > 0) {
        this.#scheduler.start();
        return await around.keep(bridges);
      }
      await this.stop();
      if ((await backend.tables()).length === 0) {
        await around.leave();
        around.sayForwarding(await backend.stopForwarding());
      }
    } catch (error) {
      logger.error({ err: error }, "firewall: what other programs need, or forwarding, could not be set right");
    }
  }

  #remembered(now: ReadonlyMap<string, string>): void {
    const { own, guard } = this.#options.tables;
    const ours = new Set([guard, ...own.map(({ name }) => name)]);
    this.#known = new Map([...now].filter(([name, text]) => ours.has(name) && !text.includes(LACKS)));
    this.#stale = false;
  }
}

function named(families: readonly (4 | 6)[]): string {
  return families.map((family) => `IPv${family}`).join(" and ");
}
