/** Records the host's rules before they are programmed, so that a crash in between leaves no unknown rule. */
import { isGone, type Ledger, type RowChange } from "../ledger.js";
import type { FirewallRule, PublishSpec } from "./rule.js";

/** One rule of one plugin. */
export interface FirewallRow {
  /** One per plugin and rule (`rowName`). */
  readonly name: string;
  readonly plugin: string;
  readonly rule: FirewallRule;
  /** `HostPort.aside` of a published port. */
  readonly aside?: number;
}

/** A port that a plugin has published. */
export type PublishedPort = { readonly plugin: string } & PublishSpec;

/** Returns the published ports among rows. */
export function publishedOf(rows: Iterable<FirewallRow>): readonly PublishedPort[] {
  return [...rows].flatMap(({ plugin, rule }) => {
    if (rule.kind !== "publish") return [];
    const { kind: _, ...spec } = rule;
    return [{ plugin, ...spec }];
  });
}

export type FirewallChange = RowChange<FirewallRow>;

/** Its id is part of the name of every table. */
export type FirewallLedger = Ledger<FirewallRow>;

/** What the names of all forwarding guards begin with. */
export const GUARD = "bulkhead-forward_";

/** Returns the name of a plugin's table. */
export function tableOf(ledger: string, plugin: string): string {
  return `bulkhead_${ledger}_${plugin}`;
}

/** Returns the name of a host's forwarding guard. */
export function guardOf(ledger: string): string {
  return `${GUARD}${ledger}`;
}

/** Reads a table's name; undefined where it is not named as ours are. */
export function readTable(name: string): { readonly ledger: string; readonly plugin: string } | undefined {
  const [, ledger, plugin] = /^bulkhead_([A-Za-z0-9.-]+)_([a-z0-9-]+)$/.exec(name) ?? [];
  return ledger === undefined || plugin === undefined ? undefined : { ledger, plugin };
}

/** True for a table whose host is gone and cannot remove it any more. */
export function isOrphan(name: string): boolean {
  const table = readTable(name);
  return table !== undefined && isGone(table.ledger);
}
