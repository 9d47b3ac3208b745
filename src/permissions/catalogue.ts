/**
 * Every permission a manifest may ask for and a policy may grant: its limits, their bounds and their defaults.
 * Pure data, read by the host; the halves of a permission take only the types of their limits from here.
 */
import { z } from "../common/zod.js";
import { type FirewallLimits, firewallDefaults, firewallLimits, firewallTried } from "./firewall/grant.js";
import { type NetlinkLimits, netlinkDefaults, netlinkLimits, netlinkTried } from "./netlink/grant.js";

/** `log`: console and structured log. */
export type LogLimits = {
  /** Lines per second; further ones are dropped and counted. */
  readonly linesPerSecond: number;
  /** UTF-16 units per line; longer lines are cut. */
  readonly lineChars: number;
};

/** `timers`: setTimeout and setInterval. */
export type TimersLimits = {
  /** Shortest delay, in milliseconds; shorter ones are raised to it. A floor: the higher is the stricter. */
  readonly minimumMs: number;
  /** Timers pending at one time. */
  readonly count: number;
};

/** `clock`: coarse time. */
export type ClockLimits = {
  /** Milliseconds the clock is rounded down to. A floor: the higher is the stricter. */
  readonly resolutionMs: number;
};

/** `random`: random bytes; nothing to limit. */
export type RandomLimits = Readonly<Record<never, never>>;

/** `store`: a durable key-value store of the plugin's own. */
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
};

/** The name of a permission. */
export type PermissionName = keyof PermissionLimits;

/** What one limit can be: a bound, a switch, a list of what is allowed, or a word that both sides must agree on. */
export type LimitValue = number | boolean | string | readonly (number | string)[];

/** A permission's limits, or some of them. */
export type Limits = Readonly<Record<string, LimitValue>>;

/** One permission. */
export interface PermissionRow<L = Limits> {
  /** Granted to every plugin, with the default limits, without a word in the policy. */
  readonly harmless: boolean;
  /** What it gives, in a few words. */
  readonly gives: string;
  /** Its limits as a manifest or a policy writes them: each may be left out. */
  readonly limits: z.ZodObject;
  /** The limits in force where neither side names one. */
  readonly defaults: Partial<L>;
  /** Limits that bound from below: of two, the higher is the stricter. All other numbers bound from above. */
  readonly floors: readonly string[];
  /** Lists of networks: of two that overlap, the narrower holds. */
  readonly networks?: readonly string[];
  /** Lists of ranges of ports: of two, what both hold. */
  readonly ranges?: readonly string[];
  /** Limits without a default: manifest or policy must name them, and something must be left of them. */
  readonly needed?: readonly string[];
  /** What stands in for limits a manifest leaves to the operator, where a plugin is only tried out. */
  readonly tried?: Partial<L>;
  /** Limits that open something by themselves: a manifest can ask for them, but only the policy's own word gives any. */
  readonly explicit?: readonly string[];
}

/** A whole number within bounds, which may be left out. */
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
    tried: firewallTried,
    explicit: ["ports"],
  },
};
