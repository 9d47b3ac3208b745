/** The rules of all plugins: their rows, in memory and in the ledger, and the tables that are programmed from them. */
import { isDeepStrictEqual } from "node:util";
import { monotonicNow } from "../../common/clock.js";
import type { OperatorLog } from "../../common/logger.js";
import type { NamespaceView } from "../netlink/backend.js";
import type { NetlinkHub } from "../netlink/hub.js";
import { AllowedAddresses, type TimedRule } from "./allowed.js";
import type { FirewallBackend, FirewallTable } from "./backend.js";
import { type Bridges, inspectBridges } from "./bridges.js";
import { type FirewallChange, type FirewallLedger, guardOf, isOrphan, tableOf } from "./ledger.js";
import { FIREWALL } from "./limits.js";
import type { RefusedFlow } from "./refused-flow.js";
import {
  bridgesOf,
  type FirewallRows,
  heldRule,
  namesIn,
  type OwnTable,
  prefixOf,
  publishedOnly,
  rowsOf,
  tablesOf,
  undoing,
  withChanges,
  withoutRows,
} from "./rows.js";
import { confines, type FirewallRule, familyOfRule } from "./rule.js";

export interface RuleTablesOptions {
  readonly backend: FirewallBackend;
  readonly ledger: FirewallLedger;
  readonly netlink: NetlinkHub;
  readonly logger: OperatorLog;
  /** Called after tables have been programmed or removed; `rules`: those in the programmed tables. */
  programmed(rules: readonly FirewallRule[]): Promise<void>;
}

export class RuleTables {
  readonly #options: RuleTablesOptions;
  #rows: FirewallRows = new Map();
  #bridges: Bridges = { uplinks: [], prefixes: [] };
  #loaded = false;
  readonly allowed: AllowedAddresses = new AllowedAddresses(monotonicNow);

  constructor(options: RuleTablesOptions) {
    this.#options = options;
  }

  /** False until the ledger has been read and its rules programmed. */
  get loaded(): boolean {
    return this.#loaded;
  }

  get rows(): FirewallRows {
    return this.#rows;
  }

  /** Returns false if rows of that many bytes cannot be recorded. */
  hasRoom(bytes: number): boolean {
    return this.#options.ledger.hasRoom?.(bytes) !== false;
  }

  get rules(): readonly FirewallRule[] {
    return [...this.#rows.values()].map(({ rule }) => rule);
  }

  /** The bridges that have rules. */
  get bridges(): readonly string[] {
    return bridgesOf(this.#rows);
  }

  get own(): readonly OwnTable[] {
    return tablesOf(this.#rows, this.#options.ledger.id);
  }

  /** The name of the forwarding guard's table. */
  get guard(): string {
    return guardOf(this.#options.ledger.id);
  }

  /** Reads the ledger, programs its rules, and removes tables that a crash left behind. Does nothing once that has succeeded. */
  async load(): Promise<void> {
    if (this.#loaded) return;
    const { backend, ledger, netlink, logger } = this.#options;
    await netlink.reconcile();
    this.#rows = new Map((await ledger.load()).map((row) => [row.name, row]));
    this.#bridges = await inspectBridges(netlink.backend);
    const tables = await backend.tables();
    const former = new Set(withoutRows(tables, this.#rows, ledger.id));
    const left = tables.filter((name) => former.has(name) || isOrphan(name));
    if (left.length > 0) {
      const words = `firewall: ${left.length} table(s) were left behind by a crash and are removed`;
      logger.warn({ tables: left }, words);
    }
    await backend.keep(publishedOnly(this.#rows));
    await this.#program(
      this.own.map(({ plugin }) => plugin),
      left,
    );
    this.#loaded = true;
  }

  /** Records changes in the ledger, then programs them; if that fails, restores the former rows. */
  async change(changes: readonly FirewallChange[]): Promise<void> {
    if (changes.length === 0) return;
    const { backend, ledger, logger } = this.#options;
    const before = this.#rows;
    const after = withChanges(before, changes);
    const plugins = new Set(
      namesIn(changes).flatMap((name) => before.get(name)?.plugin ?? after.get(name)?.plugin ?? []),
    );
    const [removed, added] = [publishedOnly(before, after), publishedOnly(after, before)];
    try {
      await ledger.write(changes);
    } catch (error) {
      await backend.release(added);
      throw error;
    }
    this.#rows = after;
    try {
      await this.#program(plugins);
    } catch (error) {
      this.#rows = before;
      // The tables may have been programmed before the step that failed.
      await this.put(plugins).catch((why: unknown) =>
        logger.error({ err: why }, "firewall: rules of a change that failed could not be taken back"),
      );
      await backend.release(added);
      await ledger.write(undoing(changes, before));
      throw error;
    }
    await backend.release(removed);
    const inUse = new Set(publishedOnly(after).map(({ ip }) => ip));
    const unused = new Set(removed.map(({ ip }) => ip).filter((ip) => !inUse.has(ip)));
    await backend.forgetFlows([...removed, ...added], [...unused]);
  }

  /** Allows addresses for some time. If that fails, they are not allowed. */
  async allow(plugin: string, rules: readonly TimedRule[]): Promise<void> {
    if (rules.length === 0) return;
    const { backend, ledger } = this.#options;
    const timed = this.allowed.put(plugin, rules);
    try {
      await backend.allow(tableOf(ledger.id, plugin), timed);
    } catch (error) {
      // Another program may have removed the table.
      await this.put([plugin]).catch(() => {
        this.allowed.drop(plugin, rules);
        throw error;
      });
    }
  }

  /** Returns what the plugin's confined bridges were refused lately. */
  async refused(plugin: string): Promise<readonly RefusedFlow[]> {
    const { backend, ledger } = this.#options;
    return (await backend.refused(tableOf(ledger.id, plugin))).slice(0, FIREWALL.refusedListed);
  }

  /** Ends the time of allowed addresses. If that fails, they stay allowed, so that the withdrawal can be repeated. */
  async disallow(plugin: string, rules: readonly FirewallRule[]): Promise<void> {
    const restore = this.allowed.drop(plugin, rules);
    if (!restore) return;
    try {
      await this.put([plugin]);
    } catch (error) {
      restore();
      throw error;
    }
  }

  /** Removes rules whose bridge is gone. */
  async forgetVanished(view: NamespaceView): Promise<void> {
    const { netlink } = this.#options;
    const gone = [...this.#rows.values()].filter(({ plugin, rule }) => netlink.owner(rule.bridge, view) !== plugin);
    await this.change(gone.map(({ name }) => ({ drop: name })));
  }

  /** Reads the bridges that the tables depend on; returns true if they have changed, so that all tables are to be programmed. */
  async inspect(): Promise<boolean> {
    const bridges = await inspectBridges(this.#options.netlink.backend);
    if (isDeepStrictEqual(bridges, this.#bridges)) return false;
    this.#bridges = bridges;
    return true;
  }

  /** Programs these plugins' tables, and removes those in `drop`. Returns their rules; undefined when there was nothing to do. */
  async put(plugins: Iterable<string>, drop: readonly string[] = []): Promise<readonly FirewallRule[] | undefined> {
    const { backend, ledger } = this.#options;
    const put: FirewallTable[] = [];
    const gone = [...drop];
    for (const plugin of plugins) {
      const name = tableOf(ledger.id, plugin);
      const rules = rowsOf(this.#rows, plugin).map(heldRule);
      const [first] = rules;
      if (first === undefined) gone.push(name);
      else {
        const bridges = rules.flatMap((rule) => (confines(rule) ? [rule.bridge] : []));
        this.allowed.keepOnly(plugin, bridges);
        const { uplinks } = this.#bridges;
        put.push({ name, prefix: prefixOf(first), rules, uplinks, allowed: this.allowed.of(plugin) });
      }
    }
    if (put.length === 0 && gone.length === 0) return undefined;
    await backend.program(put, gone);
    return put.flatMap(({ rules }) => rules);
  }

  /** Switches on forwarding for the rules' families; returns those for which it was off. `again`: puts the guard up in any case. */
  async forward(rules: readonly FirewallRule[], again = false): Promise<readonly (4 | 6)[]> {
    const families = new Set(rules.flatMap((rule) => familyOfRule(rule) ?? []));
    if (families.size === 0) return [];
    const { uplinks } = this.#bridges;
    const prefixes = [...new Set(this.rules.map(prefixOf))];
    const ours = [...new Set([...prefixes, ...this.#bridges.prefixes])];
    return this.#options.backend.forward([...families], { prefixes, ours, uplinks }, again);
  }

  async #program(plugins: Iterable<string>, drop: readonly string[] = []): Promise<void> {
    const rules = await this.put(plugins, drop);
    if (rules !== undefined) await this.#options.programmed(rules);
  }
}
