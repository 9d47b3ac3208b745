/** `powers`, the second argument of a plugin's `init`, as its author sees it. Types only. */
import type { Json } from "../driverapi/json.js";
import type { FirewallRule, IsolateSpec, MasqueradeSpec, PublishSpec } from "./firewall/rule.js";
import type { LinkInfo, LinkSettings, LinkSpec, RouteSpec } from "./netlink/link-spec.js";

/**
 * `powers.log`: a line of structured log, `console` with fields. `fields` is flat: strings, numbers, booleans.
 * Throws `ERR_PERMISSION_ARGUMENT`. Lines past the limit are dropped and counted.
 */
export type LogPower = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** `powers.random`: the system's random bytes. */
export interface RandomPower {
  /** `n` fresh bytes, 0 ≤ n ≤ 65,536. Throws `ERR_PERMISSION_ARGUMENT`, `ERR_PERMISSION_LIMIT`. */
  bytes(n: number): Uint8Array;
}

/** `powers.store`: a key-value store of the plugin's own. All of it rejects with `ERR_PERMISSION_ARGUMENT` or `ERR_PERMISSION_LIMIT`. */
export interface StorePower {
  /** The value, or null where there is none. */
  get(key: string): Promise<Json>;
  /** Keeps a JSON value. */
  set(key: string, json: Json): Promise<void>;
  /** Whether there was one. */
  delete(key: string): Promise<boolean>;
  /** Sorted; all of them, or those that begin with `prefix`. */
  keys(prefix?: string): Promise<readonly string[]>;
  /** Sets the value if what is there equals `expected` (null: nothing is there), and says whether it did. */
  compareAndSet(key: string, expected: Json, json: Json): Promise<boolean>;
}

/**
 * `powers.netlink`: network links of the plugin's own, with their addresses and routes. Names are `PREFIX-[a-z0-9]+`, the prefix
 * being the grant's. All of it rejects with `ERR_NETLINK_REFUSED`, naming the rule, `ERR_NETLINK_FAILED`, with the kernel's words
 * (`File exists`, `Cannot find device` …), or `ERR_PERMISSION_ARGUMENT`.
 */
export interface NetlinkPower {
  /** What the names of the plugin's links begin with, before the `-`. */
  readonly prefix: string;
  /** Makes a link, down and without addresses. One that is there already, asked for in the same words, is given again. */
  createLink(link: LinkSpec): Promise<LinkInfo>;
  /** All of it or nothing. `master` is an own bridge, or null to leave it. */
  setLink(name: string, settings: LinkSettings): Promise<void>;
  /** A veth goes with its other end, even when that is in a sandbox. */
  deleteLink(name: string): Promise<void>;
  /** The plugin's own links, by name. */
  links(): Promise<readonly LinkInfo[]>;
  /** Adds an address in CIDR form, `10.64.0.1/24`. */
  addAddress(name: string, cidr: string): Promise<void>;
  deleteAddress(name: string, cidr: string): Promise<void>;
  addRoute(route: RouteSpec): Promise<void>;
  deleteRoute(route: RouteSpec): Promise<void>;
}

/**
 * `powers.firewall`: ways in and out of the plugin's own bridges, in a table of its own. What is there already, in the same words,
 * is left as it is. All of it rejects with `ERR_FIREWALL_REFUSED`, naming the rule, `ERR_FIREWALL_FAILED`, with nft's words, or
 * `ERR_PERMISSION_ARGUMENT`.
 */
export interface FirewallPower {
  /** The ranges of ports the grant lets it publish: `80`, `8000-8999`. */
  readonly ports: readonly string[];
  /** What leaves the bridge's subnet by another link gets that link's address. The first makes the namespace forward packets. */
  masquerade(spec: MasqueradeSpec): Promise<void>;
  /** A port of the host's, asked from outside or on the host itself, is answered by an address on the bridge. */
  publish(spec: PublishSpec): Promise<void>;
  /** Keeps the bridge and all the plugin's other bridges apart. */
  isolate(spec: IsolateSpec): Promise<void>;
  /** One that is not there is no error. */
  withdraw(rule: FirewallRule): Promise<void>;
  /** The plugin's own rules. Those of a bridge that has gone have gone with it. */
  rules(): Promise<readonly FirewallRule[]>;
}

/** Every power there is, by its permission's name. */
export interface AllPowers {
  readonly log: LogPower;
  readonly random: RandomPower;
  readonly store: StorePower;
  readonly netlink: NetlinkPower;
  readonly firewall: FirewallPower;
}

/** What was granted: `Powers<"store">` for a plugin that asks for that alone; by default the powers every plugin has. */
export type Powers<Granted extends keyof AllPowers = "log" | "random" | "store"> = Pick<AllPowers, Granted>;
