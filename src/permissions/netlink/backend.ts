/**
 * What carries out netlink's work in one network namespace: the kernel, or a model of it. A backend does as it is told;
 * which plugin may ask for what is decided before (`rules.ts`).
 */
import type { ChangeMonitor } from "../poll-scheduler.js";
import type { LinkEvents } from "./link-events.js";
import type { LinkCounters, LinkSpec, RouteSpec } from "./link-spec.js";

/** One change; each is one message to the kernel. `move` and `rename` are the host's own, for sandboxes. */
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
  | { readonly op: "move"; readonly name: string; readonly netns: string }
  | { readonly op: "rename"; readonly name: string; readonly to: string }
  /** Changes nothing: tells of the link in the answer's `seen`. */
  | { readonly op: "look"; readonly name: string };

/** A change and what takes it back, should a later one of its unit fail. */
export interface Step {
  readonly change: Change;
  readonly undo?: Change | undefined;
}

/** Steps that happen all or not at all, in this order. */
export type Unit = readonly Step[];

/** Why a unit failed, in the kernel's words (the model has the same). */
export interface Failure {
  readonly words: string;
}

/** What became of some units. */
export interface Applied {
  /** One per unit: undefined where it was done. */
  readonly failures: readonly (Failure | undefined)[];
  /** Links that `look` steps asked for, as they were at that moment. */
  readonly seen: ReadonlyMap<string, LinkView>;
}

/** An address of a link. */
export interface AddressView {
  /** Canonical, without prefix length. */
  readonly ip: string;
  readonly prefix: number;
  /** The other end's address, on a point-to-point link. */
  readonly peer?: string;
}

/** A link as the namespace shows it. */
export interface LinkView {
  readonly name: string;
  readonly ifindex: number;
  /** The kernel's kind; absent for a plain card, and where kinds were not asked for. */
  readonly kind?: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** The address burnt into the card, where it differs. */
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

/** A namespace, looked at. */
export interface NamespaceView {
  readonly links: ReadonlyMap<string, LinkView>;
  readonly routes: readonly RouteView[];
}

/** What a look must hold besides the links themselves. */
export interface LookOptions {
  readonly addresses?: boolean;
  readonly routes?: boolean;
  readonly counters?: boolean;
  readonly kinds?: boolean;
}

/** One network namespace to work in. Every method rejects with `ERR_NETLINK_FAILED` when the namespace cannot be reached. */
/** What stands in a namespace, by name and address alone. */
export interface Glance {
  readonly links: ReadonlySet<string>;
  /** Canonical, without prefix. */
  readonly addresses: ReadonlySet<string>;
}

export interface NetlinkBackend {
  readonly kind: "kernel" | "model";
  /** Runs of `ip` (of the model: what would have been one), for tests and statistics. */
  readonly invocations: number;
  look(options?: LookOptions): Promise<NamespaceView>;
  /** Carries out units in their order; one that fails is taken back and does not touch the others. */
  apply(units: readonly Unit[]): Promise<Applied>;
  /** The addresses name servers have, canonical. */
  resolvers(): Promise<readonly string[]>;
  /** Names of the namespace's links, and its addresses: a model knows them at once. Rejects with what `look` rejects with. */
  glance(): Glance | Promise<Glance>;
  /** Tells of changes until it is stopped. */
  watch(events: LinkEvents): ChangeMonitor;
  /** The same world, another namespace (a name, or a path). */
  elsewhere(netns: string): NetlinkBackend;
}
