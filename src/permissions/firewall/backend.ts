/** Carries out the firewall's work in one network namespace: nftables, or a model. Its callers decide which rules are allowed. */

import type { ChangeMonitor } from "../poll-scheduler.js";
import type { TimedAllow } from "./allowed.js";
import type { RefusedFlow } from "./refused-flow.js";
import type { FirewallRule, HostPort, Protocol, PublishSpec } from "./rule.js";
import type { RuleEvents } from "./rule-events.js";

/** One plugin's table, whole. */
export interface FirewallTable {
  readonly name: string;
  /** The part of the plugin's link names before the `-`. */
  readonly prefix: string;
  readonly rules: readonly (FirewallRule & Pick<HostPort, "aside">)[];
  /** Other programs' bridges that carry a default route: the machine's uplinks, with its network card as a port. */
  readonly uplinks: readonly string[];
  /** What its confined bridges may reach besides what `rules` allow, for some time. */
  readonly allowed: readonly TimedAllow[];
}

/** A port that a process in the namespace has bound. */
export interface Listener {
  readonly protocol: Protocol;
  /** Canonical; undefined: every address, of either family. */
  readonly ip: string | undefined;
  readonly port: number;
}

/** Why a port cannot be held: the rule that refuses it, and words for the user. */
export interface Obstacle {
  readonly rule: "listener" | "host-address";
  readonly words: string;
}

/** Begins a line, added to a listed table, that says what is missing outside it. So the text differs from the one programmed. */
export const LACKS = "# lacks ";

/** The links that the forwarding guard distinguishes. The guard is a table that drops packets which others would have forwarded. */
export interface GuardedLinks {
  /** Prefixes of bridges with rules; their own tables decide about traffic to them. */
  readonly prefixes: readonly string[];
  /** Prefixes of all our bridges, with rules or without: only marked packets may leave them. */
  readonly ours: readonly string[];
  /** Bridges that carry a default route: traffic from them comes from the machine's network, not from a container. */
  readonly uplinks: readonly string[];
}

/** What was done about forwarding after our last table was removed. */
export interface ForwardingEnd {
  /** Switched off again. */
  readonly off: readonly (4 | 6)[];
  /** Switched on by us, and left on because `others` need it. */
  readonly left: readonly (4 | 6)[];
  readonly others: readonly string[];
}

/** One network namespace to work in. Every method rejects with `ERR_FIREWALL_FAILED` when nft or the namespace fails. */
export interface FirewallBackend {
  readonly kind: "kernel" | "model";
  /** The names of all tables that are named as ours are, including other hosts' tables. */
  tables(): Promise<readonly string[]>;
  /** Replaces the tables of the names given by `put`, and removes those in `drop`, in one transaction, so without a gap. */
  program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void>;
  /** Allows addresses in a table that has confined bridges, or extends their time. */
  allow(table: string, allowed: readonly TimedAllow[]): Promise<void>;
  /** Returns the flows recently refused to a table's confined bridges, the latest first; an empty list if the table does not exist. */
  refused(table: string): Promise<readonly RefusedFlow[]>;
  /** Binds a port of the host, so that no other process can, and serves it over loopback; or returns why it cannot. */
  hold(port: PublishSpec): Promise<Obstacle | undefined>;
  /** Serves over loopback a port that a process of the platform's has bound. Resolves with `HostPort.aside`; undefined for SCTP. */
  holdAside(port: PublishSpec): Promise<number | undefined>;
  /** Binds ports that are published already, now or as soon as they are free. Never rejects. */
  keep(ports: readonly HostPort[]): Promise<void>;
  /** Releases ports; ignores those that are not held. Never rejects. */
  release(ports: readonly HostPort[]): Promise<void>;
  /** Makes the kernel forget the flows of these UDP ports, and all flows to `addresses`, which no port leads to any more. Never rejects. */
  forgetFlows(ports: readonly PublishSpec[], addresses: readonly string[]): Promise<void>;
  /** Ends processes that are no longer needed for the namespace; held ports stay held. */
  close(): Promise<void>;
  /**
   * Lets the namespace forward packets of these families; returns those for which forwarding was off. For these it adds a guard, which
   * drops new packets unless a network of ours allows them, they are for a published port, or they come from a bridge.
   * `again`: adds the guard even if it should exist already.
   */
  forward(families: readonly (4 | 6)[], links: GuardedLinks, again?: boolean): Promise<readonly (4 | 6)[]>;
  /** True while the guard has to be in place. */
  readonly guarded: boolean;
  /** Removes guards, and switches off what `forward` switched on unless others need it. Call it when no table of ours is left. */
  stopForwarding(): Promise<ForwardingEnd>;
  /** Returns every table of the family `inet` as text, by name. The text is the same until the table is changed. */
  listing(): Promise<ReadonlyMap<string, string>>;
  /** Notifies changes of rules until it is stopped. */
  watch(events: RuleEvents): ChangeMonitor;
}
