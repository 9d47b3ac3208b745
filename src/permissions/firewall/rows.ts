/** The rules of all plugins as rows of the ledger, by name. Pure functions. */
import { type FirewallChange, type FirewallRow, readTable, tableOf } from "./ledger.js";
import { type FirewallRule, type HostPort, keyOf, sameRule } from "./rule.js";

export type FirewallRows = ReadonlyMap<string, FirewallRow>;

/** A plugin with rules, and the name of its table. */
export interface OwnTable {
  readonly plugin: string;
  readonly name: string;
}

/** Returns a rule's name in the ledger. */
export function rowName(plugin: string, rule: FirewallRule): string {
  return `${plugin} ${keyOf(rule)}`;
}

/** Returns the rows with the changes applied. */
export function withChanges(rows: FirewallRows, changes: readonly FirewallChange[]): FirewallRows {
  const next = new Map(rows);
  for (const change of changes) {
    if ("put" in change) next.set(change.put.name, change.put);
    else next.delete(change.drop);
  }
  return next;
}

/** Returns the changes that lead from `after` back to `before`, for the rows that `changes` concern. */
export function undoing(changes: readonly FirewallChange[], before: FirewallRows): readonly FirewallChange[] {
  return namesIn(changes).map((name): FirewallChange => {
    const row = before.get(name);
    return row ? { put: row } : { drop: name };
  });
}

/** Returns the names of the rows that changes concern. */
export function namesIn(changes: readonly FirewallChange[]): readonly string[] {
  return changes.map((change) => ("put" in change ? change.put.name : change.drop));
}

export function rowsOf(rows: FirewallRows, plugin: string): readonly FirewallRow[] {
  return [...rows.values()].filter((row) => row.plugin === plugin);
}

/** Returns the published ports of `rows` that `others` lack, or have with other settings. */
export function publishedOnly(rows: FirewallRows, others: FirewallRows = new Map()): readonly HostPort[] {
  return [...rows.values()].flatMap((row) => {
    if (row.rule.kind !== "publish") return [];
    const other = others.get(row.name);
    return other && sameRule(other.rule, row.rule) && other.aside === row.aside ? [] : [heldRule(row) as HostPort];
  });
}

/** Returns a row's rule; for a published port, with how the host holds it. */
export function heldRule({ rule, aside }: FirewallRow): FirewallRule & Pick<HostPort, "aside"> {
  return aside === undefined ? rule : { ...rule, aside };
}

/** Returns the tables of all plugins that have rules. */
export function tablesOf(rows: FirewallRows, ledger: string): readonly OwnTable[] {
  const plugins = new Set([...rows.values()].map(({ plugin }) => plugin));
  return [...plugins].map((plugin) => ({ plugin, name: tableOf(ledger, plugin) }));
}

/** Returns the names of this ledger's tables among `names` that have no rows any more. */
export function withoutRows(names: readonly string[], rows: FirewallRows, ledger: string): readonly string[] {
  const own = new Set(tablesOf(rows, ledger).map(({ name }) => name));
  return names.filter((name) => readTable(name)?.ledger === ledger && !own.has(name));
}

export function bridgesOf(rows: FirewallRows): readonly string[] {
  return [...new Set([...rows.values()].map(({ rule }) => rule.bridge))];
}

/** Returns the prefix of a rule's bridge, which is its plugin's. */
export function prefixOf({ bridge }: FirewallRule): string {
  return bridge.split("-")[0] ?? "";
}
