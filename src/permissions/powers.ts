/** `powers`, the second argument of a plugin's `init`, as its author sees it. Types only. */
import type { Json } from "../driverapi/json.js";
import type { RefusedFlow } from "./firewall/refused-flow.js";
import type {
  AllowSpec,
  ConnectSpec,
  FirewallRule,
  IsolateSpec,
  MasqueradeSpec,
  PublishSpec,
  ResolveSpec,
} from "./firewall/rule.js";
import type { FirstSettings, LinkInfo, LinkSettings, LinkSpec, RouteSpec } from "./netlink/link-spec.js";
import type { RemoteInfo, RemoteSpec } from "./netlink/remote-spec.js";
import type { Effect } from "./traffic/grant.js";
import type { TrafficShape } from "./traffic/shape.js";

/**
 * `powers.log`: writes a line of structured log. `fields` is flat: strings, numbers, booleans.
 * Throws `ERR_PERMISSION_ARGUMENT`. Lines over the limit are dropped and counted.
 */
export type LogPower = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** `powers.random`: the system's random bytes. */
export interface RandomPower {
  /** Returns `n` random bytes, 0 ≤ n ≤ 65,536. Throws `ERR_PERMISSION_ARGUMENT`, `ERR_PERMISSION_LIMIT`. */
  bytes(n: number): Uint8Array;
}

/** `powers.store`: the plugin's own key-value store. All methods reject with `ERR_PERMISSION_ARGUMENT` or `ERR_PERMISSION_LIMIT`. */
export interface StorePower {
  /** Returns the value, or null if there is none. */
  get(key: string): Promise<Json>;
  /** Stores a JSON value. */
  set(key: string, json: Json): Promise<void>;
  /** Deletes a key. Returns whether it existed. */
  delete(key: string): Promise<boolean>;
  /** Returns all keys, or those that begin with `prefix`, sorted. */
  keys(prefix?: string): Promise<readonly string[]>;
  /** Sets the value if the present one equals `expected` (null: the key does not exist). Returns whether it did. */
  compareAndSet(key: string, expected: Json, json: Json): Promise<boolean>;
}

/**
 * `powers.netlink`: the plugin's own network links, with their addresses and routes. Names are `PREFIX-[a-z0-9]+`, with the grant's
 * prefix. All methods reject with `ERR_NETLINK_REFUSED`, which names the rule, `ERR_NETLINK_FAILED`, with the kernel's words
 * (`File exists`, `Cannot find device` …), or `ERR_PERMISSION_ARGUMENT`.
 */
export interface NetlinkPower {
  /** The part of the plugin's link names before the `-`. */
  readonly prefix: string;
  /**
   * Creates a link with `first` set on it, all or nothing; without it, down and without addresses. If the link exists with the same properties,
   * sets what it lacks of `first`, and returns it.
   */
  createLink(link: LinkSpec, first?: FirstSettings): Promise<LinkInfo>;
  /** Changes all of the settings or none. `master`: one of the plugin's bridges, or null to leave its bridge. */
  setLink(name: string, settings: LinkSettings): Promise<void>;
  /** Deletes a link; of a veth both ends, even if one is in a sandbox. */
  deleteLink(name: string): Promise<void>;
  /** Lists the plugin's links, by name. */
  links(): Promise<readonly LinkInfo[]>;
  /** Adds an address in CIDR form, `10.64.0.1/24`. */
  addAddress(name: string, cidr: string): Promise<void>;
  deleteAddress(name: string, cidr: string): Promise<void>;
  addRoute(route: RouteSpec): Promise<void>;
  deleteRoute(route: RouteSpec): Promise<void>;
  /**
   * Sets a remote host of a vxlan made with `local` and up: its forwarding entry, permanent neighbours and routes, all or none. Takes the
   * place of what was set for the same `host`; the same again changes nothing.
   */
  setRemote(name: string, remote: RemoteSpec): Promise<void>;
  /** Removes a remote host, with its forwarding entry, neighbours and routes; one that is not set is not an error. */
  removeRemote(name: string, host: string): Promise<void>;
  /** Lists the remote hosts set on a vxlan, and says of each whether all its entries are still in the kernel. */
  remotes(name: string): Promise<readonly RemoteInfo[]>;
}

/**
 * `powers.firewall`: rules for traffic in and out of the plugin's own bridges. Asking again for a rule that exists changes nothing. All
 * methods reject with `ERR_FIREWALL_REFUSED`, which names the rule, `ERR_FIREWALL_FAILED`, with nft's words, or
 * `ERR_PERMISSION_ARGUMENT`.
 */
export interface FirewallPower {
  /** The port ranges that the grant allows to publish: `80`, `8000-8999`. */
  readonly ports: readonly string[];
  /** Gives packets that leave the bridge's subnet by another link that link's address. The first one enables forwarding. */
  masquerade(spec: MasqueradeSpec): Promise<void>;
  /** Sends what reaches a port of the host, from outside or from the host itself, to an address on the bridge. */
  publish(spec: PublishSpec): Promise<void>;
  /** Lets no packets pass between the bridge and the plugin's other bridges; with `outgoing: "allowed"`, none out but what is allowed. */
  isolate(spec: IsolateSpec): Promise<void>;
  /** Lets new connections pass from a bridge that is isolated with `outgoing: "allowed"`. */
  allow(spec: AllowSpec): Promise<void>;
  /** Brings what the bridge's containers send to port 53, to whichever server, to the bridge's own address. */
  resolve(spec: ResolveSpec): Promise<void>;
  /** Lets a bridge's subnet and the rest of its network, behind a vxlan of the plugin's own, reach each other. */
  connect(spec: ConnectSpec): Promise<void>;
  /** Removes a rule; one that does not exist is not an error. */
  withdraw(rule: FirewallRule): Promise<void>;
  /** Lists the plugin's rules. A rule is removed with its bridge. */
  rules(): Promise<readonly FirewallRule[]>;
  /** Lists the flows recently refused to bridges isolated with `outgoing: "allowed"`, the latest first. */
  refused(): Promise<readonly RefusedFlow[]>;
}

/** A name query of a container's. The message is hostile: it may be anything. */
export interface NameQuery {
  /** The address at which it was asked. */
  readonly ip: string;
  /** The client's address. */
  readonly from: string;
  readonly tcp: boolean;
  readonly message: Uint8Array;
}

/** An answer that the host may give again, without asking the handler, when the same client sends the same query. */
export interface KeptAnswer {
  readonly message: Uint8Array;
  /** For how long after the query arrived, in milliseconds; more than a second counts as one. `listen` and `stop` end it earlier. */
  readonly keepMs: number;
}

/** The answer to a query, as a message; undefined leaves the client without one. */
export type NameAnswer = Uint8Array | KeptAnswer | undefined;

/** Returns the answer to a query. A rejection leaves the client without one. */
export type QueryHandler = (query: NameQuery) => NameAnswer | Promise<NameAnswer>;

/**
 * `powers.resolver`: the name queries of the plugin's own bridges, as bytes, and a way to the name servers granted. All methods reject
 * with `ERR_RESOLVER_REFUSED`, which names the rule, `ERR_RESOLVER_FAILED`, with the system's code, `ERR_PERMISSION_ARGUMENT` or
 * `ERR_PERMISSION_LIMIT`.
 */
export interface ResolverPower {
  /** The name servers that the grant names: `192.0.2.53`, `[2001:db8::53]:5353`. */
  readonly upstreams: readonly string[];
  /** Takes the queries that reach port 53 of one of a bridge's own addresses, over UDP and TCP. A second call replaces the handler. */
  listen(spec: { readonly bridge: string; readonly ip: string }, handler: QueryHandler): Promise<void>;
  /** Takes no more queries at an address. */
  stop(spec: { readonly ip: string }): Promise<void>;
  /** Sends a message to one of `upstreams`, over UDP or TCP, with an id and a port of its own; resolves with the reply. */
  ask(upstream: string, message: Uint8Array, options?: { readonly tcp?: boolean }): Promise<Uint8Array>;
}

/** A shaped link, as `shapes()` lists it. */
export interface ShapedLinkInfo extends TrafficShape {
  readonly link: string;
  /** True if an operator has changed the shape: it stays whatever the plugin asks for. */
  readonly byOperator?: true;
}

/**
 * `powers.traffic`: rate, delay and loss of the plugin's own links. All methods reject with `ERR_TRAFFIC_REFUSED`, which names the rule,
 * `ERR_TRAFFIC_FAILED`, with the words of tc, or `ERR_PERMISSION_ARGUMENT`.
 */
export interface TrafficPower {
  /** What the grant allows: rate (with its burst), delay (with its jitter), loss. */
  readonly effects: readonly Effect[];
  /**
   * Shapes a link; a field that is left out ends. `rate` limits each direction; delay, jitter and loss act on what leaves by the link,
   * so a round trip takes `delay` longer. A shape ends with its link.
   */
  shape(link: string, shape: TrafficShape): Promise<void>;
  /** Resolves if a link could be shaped like that: by the grant, and by what the kernel can do. */
  check(shape: TrafficShape): Promise<void>;
  /** Lists the plugin's shaped links, with the shape in force. */
  shapes(): Promise<readonly ShapedLinkInfo[]>;
}

/** A key of the cluster's, its value, and the revision of its last write. */
export interface ClusterEntry {
  readonly key: string;
  readonly value: Json;
  readonly revision: number;
}

/**
 * What a watch tells. `resync`: all that is there now; what happened before may not have been told. `progress`: everything up to that
 * revision was told. `stale`: for `ms` there has been no such proof, so what is known may be old. `end`: nothing more will be told.
 */
export type ClusterEvent =
  | ({ readonly type: "put" } & ClusterEntry)
  | { readonly type: "delete"; readonly key: string; readonly revision: number }
  | { readonly type: "resync"; readonly entries: readonly ClusterEntry[]; readonly revision: number }
  | { readonly type: "progress"; readonly revision: number }
  | { readonly type: "stale"; readonly ms: number }
  | { readonly type: "end"; readonly code: string };

/** Takes the events of one watch, in order; the next one waits until the promise it returns has settled. */
export type ClusterHandler = (event: ClusterEvent) => void | Promise<void>;

/**
 * `powers.cluster`: keys and values that all hosts with the plugin share, in a store of the operator's. Every read and write is
 * linearizable. All methods reject with `ERR_CLUSTER_REFUSED`, which names the rule, `ERR_CLUSTER_FAILED`, after which nothing was
 * changed, `ERR_CLUSTER_UNKNOWN`, after which a write may have happened or may happen yet, or `ERR_PERMISSION_ARGUMENT`.
 */
export interface ClusterPower {
  /** Returns the entry, or null if there is none. */
  get(key: string): Promise<ClusterEntry | null>;
  /** Returns all entries, or those whose keys begin with `prefix`, as they are at one revision. */
  list(prefix?: string): Promise<{ readonly entries: readonly ClusterEntry[]; readonly revision: number }>;
  /** Writes a key that does not exist. Returns its revision, or null if it exists. */
  create(key: string, json: Json): Promise<number | null>;
  /** Writes a key whose last write has this revision. Returns the new revision, or null if that is not so. */
  compareAndSet(key: string, revision: number, json: Json): Promise<number | null>;
  /** Deletes a key; with `revision`, only if its last write has that revision. Returns whether it did. Ends a lease of this host's. */
  delete(key: string, revision?: number): Promise<boolean>;
  /**
   * Tells the handler of changes to keys that begin with `prefix`, from revision `from` on; without it, or if the store no longer has
   * that revision, first what is there. Returns the watch's id. A watch ends with its worker.
   */
  watch(prefix: string, handler: ClusterHandler, options?: { readonly from?: number }): Promise<number>;
  /** Ends a watch. */
  unwatch(id: number): Promise<void>;
  /**
   * Writes the key `alive/NAME/HOST`, which is there for as long as the plugin lives and its host reaches the store. Returns the key. A
   * lapsed one does not mean that what its holder had is free: the holder may go on.
   */
  lease(name: string, json: Json): Promise<string>;
}

/** All powers, by permission name. */
export interface AllPowers {
  readonly log: LogPower;
  readonly random: RandomPower;
  readonly store: StorePower;
  readonly netlink: NetlinkPower;
  readonly firewall: FirewallPower;
  readonly resolver: ResolverPower;
  readonly traffic: TrafficPower;
  readonly cluster: ClusterPower;
}

/** The powers of a plugin: `Powers<"store">` for one that asks for that alone. Default: those that every plugin has. */
export type Powers<Granted extends keyof AllPowers = "log" | "random" | "store"> = Pick<AllPowers, Granted>;
