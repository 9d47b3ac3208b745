/** What carries out the firewall's work in one network namespace: nftables, or a model. Which rules there may be is decided before. */
import type { FirewallRule, Protocol } from "./rule.js";

/** One plugin's table, whole. */
export interface FirewallTable {
  readonly name: string;
  /** What the names of the plugin's links begin with, before the `-`. */
  readonly prefix: string;
  readonly rules: readonly FirewallRule[];
  /** Bridges of others that carry a default route: the machine's way out where its card is a port of one. */
  readonly uplinks: readonly string[];
}

/** A port somebody in the namespace listens on. */
export interface Listener {
  readonly protocol: Protocol;
  /** Canonical; undefined: every address, of either family. */
  readonly ip: string | undefined;
  readonly port: number;
}

/** One network namespace to work in. Every method rejects with `ERR_FIREWALL_FAILED` when nft or the namespace fails. */
export interface FirewallBackend {
  readonly kind: "kernel" | "model";
  /** Names of all tables whose names are of our form, whosever they are. */
  tables(): Promise<readonly string[]>;
  /** Puts whole tables in the place of those of their names, and removes others, in one transaction: there is no moment without. */
  program(put: readonly FirewallTable[], drop: readonly string[]): Promise<void>;
  listeners(): Promise<readonly Listener[]>;
  /** Lets the namespace forward packets of these families; gives those for which that was not so before. */
  forward(families: readonly (4 | 6)[]): Promise<readonly (4 | 6)[]>;
}
