/**
 * Records the links that the host creates, each before its creation, so that a crash in between leaves no unknown link (README.md here,
 * "Recovery").
 */
import type { Ledger, RowChange } from "../ledger.js";
import type { LinkSpec } from "./link-spec.js";
import type { RemoteSpec } from "./remote-spec.js";

/** The sandbox that a link has been moved into. */
export interface MovedTo {
  /** The namespace, by path or name. */
  readonly netns: string;
}

/** One link; the two ends of a veth have a row each. */
export interface LedgerRow {
  readonly plugin: string;
  readonly name: string;
  /** As requested; for a veth's second end, the first end's. */
  readonly spec: LinkSpec;
  /** Absent: intended, and perhaps created. */
  readonly ifindex?: number | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly moved?: MovedTo | undefined;
  /** A vxlan's remote hosts, each recorded before it is set and until it has been removed. */
  readonly remotes?: readonly RemoteSpec[] | undefined;
}

export type LedgerChange = RowChange<LedgerRow>;

/** Its id is part of every link's alias. */
export type NetlinkLedger = Ledger<LedgerRow>;

/** Returns the mark for a link's alias, which stays with the link in a sandbox, even if it is renamed there. */
export function markOf(ledger: string, plugin: string, name: string): string {
  return `bulkhead:${ledger}:${plugin}:${name}`;
}

/** Reads a mark; undefined for any other alias. */
export function readMark(alias: string | undefined): { ledger: string; plugin: string; name: string } | undefined {
  const [, ledger, plugin, name] = /^bulkhead:([\w.-]+):([a-z0-9-]+):([a-z0-9-]+)$/.exec(alias ?? "") ?? [];
  return ledger === undefined || plugin === undefined || name === undefined ? undefined : { ledger, plugin, name };
}
