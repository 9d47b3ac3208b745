/**
 * Carries out netlink's work in one network namespace: the kernel, or a model of it. Which plugin may request what is decided before
 * (`rules.ts`).
 */
import type { ChangeMonitor } from "../poll-scheduler.js";
import type { LinkEvents } from "./link-events.js";
import type { LinkCounters, LinkSpec, RouteSpec } from "./link-spec.js";

/** One change: one message to the kernel. Only the host uses `move` and `rename`, for sandboxes. */
export type Change =
  | { readonly op: "add"; readonly link: LinkSpec }
  | { readonly op: "alias"; readonly name: string; readonly alias: string }
  | { readonly op: "up" | "down" | "delete"; readonly name: string }
  | { readonly op: "master"; readonly name: string; readonly master: string | null }
  | { readonly op: "mtu"; readonly name: string; readonly mtu: number }
  | { readonly op: "mac"; readonly name: string; readonly mac: string }
  | { readonly op: "addAddress" | "deleteAddress"; readonly name: string; readonly address: string }
  | (RouteSpec & { readonly op: "addRoute" })
  | (RouteSpec & { readonly op: "deleteRoute" })
  | PartChange
  | { readonly op: "move"; readonly name: string; readonly netns: string }
  | { readonly op: "rename"; readonly name: string; readonly to: string }
  /** Changes nothing: adds the link to the result's `seen`. */
  | { readonly op: "look"; readonly name: string };

/** Sets or deletes one of the entries that make up a remote host of a vxlan. */
export type PartChange =
  | { readonly op: "setForward" | "deleteForward"; readonly name: string; readonly mac: string; readonly host: string }
  | {
      readonly op: "setNeighbour" | "deleteNeighbour";
      readonly name: string;
      readonly ip: string;
      readonly mac: string;
    }
  /** Takes the place of the route to the same destination. */
  | { readonly op: "setRoute"; readonly name: string; readonly destination: string; readonly via: string }
  | { readonly op: "unsetRoute"; readonly name: string; readonly destination: string; readonly via: string };

/** A change, and the one that undoes it if a later change of its unit fails. */
export interface Step {
  readonly change: Change;
  readonly undo?: Change | undefined;
}

/** Steps that are carried out in this order, all or none. */
export type Unit = readonly Step[];

/** Why a unit failed, in the kernel's words, which the model uses too. */
export interface Failure {
  readonly words: string;
}

/** The result of carrying out units. */
export interface Applied {
  /** One per unit; undefined if it succeeded. */
  readonly failures: readonly (Failure | undefined)[];
  /** The links that `look` steps named, as they were at that moment. */
  readonly seen: ReadonlyMap<string, LinkView>;
}

/** An address of a link. */
export interface AddressView {
  /** Canonical, without prefix length. */
  readonly ip: string;
  readonly prefix: number;
  /** The peer's address, on a point-to-point link. */
  readonly peer?: string;
}

/** A link as the namespace shows it. */
export interface LinkView {
  readonly name: string;
  readonly ifindex: number;
  /** The kernel's kind; absent for a plain network card, or if kinds were not requested. */
  readonly kind?: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** The network card's permanent address, if it differs. */
  readonly permanentMac?: string;
  readonly master?: string;
  readonly alias?: string;
  readonly addresses: readonly AddressView[];
  readonly counters?: LinkCounters;
}

/** A route, of any table. */
export interface RouteView {
  /** CIDR form, canonical; a default route is `0.0.0.0/0` or `::/0`. */
  readonly destination: string;
  readonly dev?: string;
  readonly via: readonly string[];
}

/** A permanent neighbour entry: the MAC address of an IP address. */
export interface NeighbourView {
  readonly dev: string;
  readonly ip: string;
  readonly mac: string;
}

/** A vxlan's forwarding entry: the host that has a MAC address. */
export interface ForwardView {
  readonly dev: string;
  readonly mac: string;
  readonly host: string;
}

/** A snapshot of a namespace. */
export interface NamespaceView {
  readonly links: ReadonlyMap<string, LinkView>;
  readonly routes: readonly RouteView[];
  readonly neighbours?: readonly NeighbourView[];
  readonly forwards?: readonly ForwardView[];
}

/** What a snapshot includes besides the links themselves. */
export interface LookOptions {
  readonly addresses?: boolean;
  readonly routes?: boolean;
  readonly counters?: boolean;
  readonly kinds?: boolean;
  /** Neighbours and forwarding entries. */
  readonly remotes?: boolean;
}

/** One network namespace to work in. Every method rejects with `ERR_NETLINK_FAILED` when the namespace cannot be reached. */
/** The names and addresses in a namespace. */
export interface NetworkSnapshot {
  readonly links: ReadonlySet<string>;
  /** Canonical, without prefix. */
  readonly addresses: ReadonlySet<string>;
}

export interface NetlinkBackend {
  readonly kind: "kernel" | "model";
  /** Runs of `ip`, for tests and statistics; for the model, runs that the kernel would have needed. */
  readonly invocations: number;
  look(options?: LookOptions): Promise<NamespaceView>;
  /** Carries out units in order. A unit that fails is undone and does not affect the others. */
  apply(units: readonly Unit[]): Promise<Applied>;
  /** Returns the name servers' addresses, canonical. */
  resolvers(): Promise<readonly string[]>;
  /** Returns the names of links, and all addresses. Rejects as `look` does. */
  readSnapshot(): NetworkSnapshot | Promise<NetworkSnapshot>;
  /** Notifies changes until it is stopped. */
  watch(events: LinkEvents): ChangeMonitor;
  /** Ends what runs for the namespace; it can still be used. */
  close(): Promise<void>;
  /** Returns a backend for another namespace (a name, or a path). */
  elsewhere(netns: string): NetlinkBackend;
}
