/** What carries out the firewall's work in one network namespace: nftables, or a model. Which rules there may be is decided before. */
import type { FirewallRule, Protocol, PublishSpec } from "./rule.js";
import type { RuleEvents, RuleWatch } from "./rule-events.js";

/** One plugin's table, whole. */
export interface FirewallTable {
  readonly name: string;
  /** What the names of the plugin's links begin with, before the `-`. */
  readonly prefix: string;
  readonly rules: readonly FirewallRule[];
  /** Bridges of others that carry a default route: the machine's way out where its card is a port of one. */
  readonly uplinks: readonly string[];
}

/** A port that a process in the namespace has. */
export interface Listener {
  readonly protocol: Protocol;
  /** Canonical; undefined: every address, of either family. */
  readonly ip: string | undefined;
  readonly port: number;
}

/** What keeps a port from being held, as the rule that refuses it and in words for the user. */
export interface Obstacle {
  readonly rule: "listener" | "host-address";
  readonly words: string;
}

/** The links that the guard of forwarding tells from others. */
export interface GuardedLinks {
  /** What the names of all bridges of ours begin with, before the `-`; what goes there their own tables decide. */
  readonly prefixes: readonly string[];
  /** Bridges that carry a default route: what comes in there comes from the machine's network, and from no container. */
  readonly uplinks: readonly string[];
}

/** What became of forwarding when our last table went. */
export interface ForwardingEnd {
  /** Switched off again. */
  readonly off: readonly (4 | 6)[];
  /** Switched on by us and left on, since others need it: these. */
  readonly left: readonly (4 | 6)[];
  readonly others: readonly string[];
}

/** One network namespace to work in. Every method rejects with `ERR_FIREWALL_FAILED` when nft or the namespace fails. */
export interface FirewallBackend {
  readonly kind: "kernel" | "model";
  /** Names of all tables whose names are of our form, whosever they are. */
  tables(): Promise<readonly string[]>;
  /** Puts whole tables in the place of those of their names, and removes others, in one transaction: there is no moment without. */
  program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void>;
  /** Takes a port of the host's, so that nobody else can, and serves it over loopback; or says why not. */
  hold(port: PublishSpec): Promise<Obstacle | undefined>;
  /** Takes ports that are published already, now or as soon as they are free. Never rejects. */
  keep(ports: readonly PublishSpec[]): Promise<void>;
  /** Gives ports back; those not held are passed over. Never rejects. */
  release(ports: readonly PublishSpec[]): Promise<void>;
  /** Makes the kernel forget flows: of these UDP ports, and all that lead to addresses nothing is published for any more. Never rejects. */
  forgetFlows(ports: readonly PublishSpec[], addresses: readonly string[]): Promise<void>;
  /** Ends what runs for the namespace and is not needed any more; ports that are held stay so. */
  close(): Promise<void>;
  /**
   * Lets the namespace forward packets of these families; gives those for which that was not so before. For them a guard is put up:
   * new packets are dropped that no network of ours allows, that are for no published port, and that come from no bridge.
   * `again`: the guard is put up although it should be there.
   */
  forward(families: readonly (4 | 6)[], links: GuardedLinks, again?: boolean): Promise<readonly (4 | 6)[]>;
  /** To be called when no table of ours is left: guards go, and what `forward` switched on is switched off where nobody else needs it. */
  stopForwarding(): Promise<ForwardingEnd>;
  /** Every table of the family `inet` as text, by name: the same text while nobody has changed it. */
  listing(): Promise<ReadonlyMap<string, string>>;
  /** Tells of changes of rules until it is stopped. */
  watch(events: RuleEvents): RuleWatch;
}
