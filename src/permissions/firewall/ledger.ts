/** Records the host's rules before they are programmed, so that a crash in between leaves no unknown rule. */
import { isGone, MemoryLedger } from "../netlink/ledger.js";
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

/** A row to keep, or the name of one to forget. */
export type FirewallChange = { readonly put: FirewallRow } | { readonly drop: string };

/** Keeps the rules of one namespace. Once `write` has resolved, the next `load` returns what it wrote. */
export interface FirewallLedger {
  /** Part of the name of every table. Letters, digits, `.` and `-`; a durable ledger never changes it. */
  readonly id: string;
  /** True when its rows outlive the process: then rules stay when the host closes. */
  readonly durable: boolean;
  load(): Promise<readonly FirewallRow[]>;
  /** Writes all of the changes, in order, or none. */
  write(changes: readonly FirewallChange[]): Promise<void>;
  /** Returns false if rows of that many bytes cannot be recorded, because the disk is full. Absent: there is always room. */
  hasRoom?(bytes: number): boolean;
}

/** A ledger that ends with its process; by its id others can tell that the process is gone. */
export class MemoryFirewallLedger implements FirewallLedger {
  readonly id: string = new MemoryLedger().id;
  readonly durable = false;
  readonly #rows = new Map<string, FirewallRow>();

  async load(): Promise<readonly FirewallRow[]> {
    return [...this.#rows.values()];
  }

  async write(changes: readonly FirewallChange[]): Promise<void> {
    for (const change of changes) {
      if ("put" in change) this.#rows.set(change.put.name, change.put);
      else this.#rows.delete(change.drop);
    }
  }
}

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
