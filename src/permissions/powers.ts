/** `powers`, the second argument of a plugin's `init`, as its author sees it. Types only. */
import type { Json } from "../driverapi/json.js";
import type { FirewallRule, IsolateSpec, MasqueradeSpec, PublishSpec } from "./firewall/rule.js";
import type { LinkInfo, LinkSettings, LinkSpec, RouteSpec } from "./netlink/link-spec.js";

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
  /** Creates a link, down and without addresses. If it exists with the same settings, returns it. */
  createLink(link: LinkSpec): Promise<LinkInfo>;
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
  /** Lets no packets pass between the bridge and the plugin's other bridges. */
  isolate(spec: IsolateSpec): Promise<void>;
  /** Removes a rule; one that does not exist is not an error. */
  withdraw(rule: FirewallRule): Promise<void>;
  /** Lists the plugin's rules. A rule is removed with its bridge. */
  rules(): Promise<readonly FirewallRule[]>;
}

/** All powers, by permission name. */
export interface AllPowers {
  readonly log: LogPower;
  readonly random: RandomPower;
  readonly store: StorePower;
  readonly netlink: NetlinkPower;
  readonly firewall: FirewallPower;
}

/** The powers of a plugin: `Powers<"store">` for one that asks for that alone. Default: those that every plugin has. */
export type Powers<Granted extends keyof AllPowers = "log" | "random" | "store"> = Pick<AllPowers, Granted>;
