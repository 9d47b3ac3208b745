/**
 * Every permission that a manifest may request and a policy may grant: its limits, their bounds and their defaults.
 * Pure data, read by the host; a permission's two halves import only the types of its limits from here.
 */
import { z } from "../common/zod.js";
import { type ClusterLimits, clusterDefaults, clusterLimits } from "./cluster/grant.js";
import { type FirewallLimits, firewallDefaults, firewallLimits, firewallTried } from "./firewall/grant.js";
import { type NetlinkLimits, netlinkDefaults, netlinkLimits, netlinkTried } from "./netlink/grant.js";
import { type ResolverLimits, resolverDefaults, resolverLimits, resolverTried } from "./resolver/grant.js";
import { type TrafficLimits, trafficDefaults, trafficLimits } from "./traffic/grant.js";

/** `log`: console and structured log. */
export type LogLimits = {
  /** Lines per second; further ones are dropped and counted. */
  readonly linesPerSecond: number;
  /** UTF-16 units per line; longer lines are cut. */
  readonly lineChars: number;
};

/** `timers`: setTimeout and setInterval. */
export type TimersLimits = {
  /** Shortest delay, in milliseconds; shorter ones are raised to it. A floor: the higher value is stricter. */
  readonly minimumMs: number;
  /** Timers pending at one time. */
  readonly count: number;
};

/** `clock`: coarse time. */
export type ClockLimits = {
  /** The clock is rounded down to multiples of this many milliseconds. A floor: the higher value is stricter. */
  readonly resolutionMs: number;
};

/** `random`: random bytes; nothing to limit. */
export type RandomLimits = Readonly<Record<never, never>>;

/** `store`: the plugin's own durable key-value store. */
export type StoreLimits = {
  /** Bytes of all keys and values together. */
  readonly bytes: number;
  /** Keys. */
  readonly keys: number;
};

/** The limits of each permission, by its name. */
export type PermissionLimits = {
  readonly log: LogLimits;
  readonly timers: TimersLimits;
  readonly clock: ClockLimits;
  readonly random: RandomLimits;
  readonly store: StoreLimits;
  readonly netlink: NetlinkLimits;
  readonly firewall: FirewallLimits;
  readonly resolver: ResolverLimits;
  readonly traffic: TrafficLimits;
  readonly cluster: ClusterLimits;
};

/** The name of a permission. */
export type PermissionName = keyof PermissionLimits;

/** A limit's value: a bound, a switch, a list of what is allowed, or a text on which both sides must agree. */
export type LimitValue = number | boolean | string | readonly (number | string)[];

/** A permission's limits, or some of them. */
export type Limits = Readonly<Record<string, LimitValue>>;

/** One permission. */
export interface PermissionRow<L = Limits> {
  /** Granted to every plugin, with the default limits, unless the policy says otherwise. */
  readonly harmless: boolean;
  /** What it gives, in a few words. */
  readonly gives: string;
  /** Schema of its limits in a manifest or a policy. Each is optional. */
  readonly limits: z.ZodObject;
  /** Limits that apply where neither side names one. */
  readonly defaults: Partial<L>;
  /** Lower bounds, whose higher value is stricter. All other numbers are upper bounds. */
  readonly floors: readonly string[];
  /** Lists of networks; of two that overlap, the narrower applies. */
  readonly networks?: readonly string[];
  /** Lists of port ranges; of two lists, the common ports apply. */
  readonly ranges?: readonly string[];
  /** Limits without a default: manifest or policy must name them, and their intersection must not be empty. */
  readonly needed?: readonly string[];
  /** Required lists that a policy may name as empty: the permission is of use without them. */
  readonly mayBeEmpty?: readonly string[];
  /** Values for required limits that a manifest does not name, when a plugin is only tried out. */
  readonly tried?: Partial<L>;
  /** Limits that open something by themselves: a manifest can request them, and only the policy can grant them. */
  readonly explicit?: readonly string[];
}

/** Returns the schema of an optional whole number within bounds. */
function bound(minimum: number, maximum: number): z.ZodExactOptional<z.ZodInt> {
  return z.exactOptional(z.int().min(minimum).max(maximum));
}

/** One row per permission. */
export const PERMISSIONS: { readonly [N in PermissionName]: PermissionRow<PermissionLimits[N]> } = {
  log: {
    harmless: true,
    gives: "console and structured log",
    limits: z.strictObject({ linesPerSecond: bound(1, 100_000), lineChars: bound(16, 262_144) }),
    defaults: { linesPerSecond: 200, lineChars: 4096 },
    floors: [],
  },
  timers: {
    harmless: true,
    gives: "setTimeout and setInterval",
    limits: z.strictObject({ minimumMs: bound(1, 60_000), count: bound(1, 65_536) }),
    defaults: { minimumMs: 1, count: 256 },
    floors: ["minimumMs"],
  },
  clock: {
    harmless: true,
    gives: "coarse time",
    limits: z.strictObject({ resolutionMs: bound(1, 60_000) }),
    defaults: { resolutionMs: 1 },
    floors: ["resolutionMs"],
  },
  random: { harmless: true, gives: "random bytes", limits: z.strictObject({}), defaults: {}, floors: [] },
  store: {
    harmless: true,
    gives: "a durable key-value store of its own",
    limits: z.strictObject({ bytes: bound(1, 1 << 30), keys: bound(1, 1 << 20) }),
    defaults: { bytes: 65_536, keys: 256 },
    floors: [],
  },
  netlink: {
    harmless: false,
    gives: "network links of its own: bridge, veth, macvlan, vxlan, with addresses and routes",
    limits: netlinkLimits,
    defaults: netlinkDefaults,
    floors: ["vniFrom"],
    networks: ["subnets", "remotes"],
    needed: ["kinds", "prefix", "subnets"],
    tried: netlinkTried,
    explicit: ["parents", "passthru", "vniFrom", "vniTo", "remotes", "ports"],
  },
  firewall: {
    harmless: false,
    gives: "ways out of and into bridges of its own: masquerading, published ports; isolation between them",
    limits: firewallLimits,
    defaults: firewallDefaults,
    floors: [],
    ranges: ["ports"],
    needed: ["ports"],
    mayBeEmpty: ["ports"],
    tried: firewallTried,
    explicit: ["ports"],
  },
  resolver: {
    harmless: false,
    gives: "the name queries of bridges of its own, and a way to the name servers granted",
    limits: resolverLimits,
    defaults: resolverDefaults,
    floors: [],
    needed: ["upstreams"],
    tried: resolverTried,
    explicit: ["upstreams"],
  },
  traffic: {
    harmless: false,
    gives: "rate, delay and loss of links of its own",
    limits: trafficLimits,
    defaults: trafficDefaults,
    floors: ["minKbit"],
  },
  cluster: {
    harmless: false,
    gives: "keys and values shared by all hosts, in the operator's store",
    limits: clusterLimits,
    defaults: clusterDefaults,
    floors: [],
  },
};
