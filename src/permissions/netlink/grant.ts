/** What bounds a `netlink` grant, as a manifest or a policy writes it. README.md here has the reasons. */

import { z } from "../../common/zod.js";
import { type Family, parseDestination } from "../../driverapi/addresses.js";
import { DriverError } from "../../driverapi/errors.js";
import { networkOf, specialRange } from "./cidr.js";

/** The kinds of link there are. */
export const LINK_KINDS = ["bridge", "veth", "macvlan", "vxlan"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** `netlink`: links of the plugin's own, their addresses and routes. */
export type NetlinkLimits = {
  /** Kinds of link it may make. Must be named by manifest or policy. */
  readonly kinds: readonly LinkKind[];
  /** Names are `PREFIX-[a-z0-9]+`. Must be named by manifest or policy; no plugin's is the beginning of another's. */
  readonly prefix: string;
  /** Links it may have at one time; a veth counts as two. */
  readonly max: number;
  /** Networks its addresses and routes lie in. Must be named by manifest or policy. */
  readonly subnets: readonly string[];
  /** Links of the machine that a macvlan or vxlan may stand on. Only a policy opens any. */
  readonly parents: readonly string[];
  /** A macvlan may take its parent over. Only a policy opens it. */
  readonly passthru: boolean;
  /** The lowest vxlan identifier. Only a policy opens any. A floor: the higher is the stricter. */
  readonly vniFrom?: number;
  /** The highest vxlan identifier. Only a policy opens any. */
  readonly vniTo?: number;
  /** Networks a vxlan's other end may lie in. Only a policy opens any. */
  readonly remotes: readonly string[];
  /** UDP ports a vxlan may take. Only a policy opens any. */
  readonly ports: readonly number[];
};

/** A netlink prefix: short enough to leave room for the name behind it. */
const NETLINK_PREFIX: RegExp = /^[a-z][a-z0-9]{0,7}$/;

/** IPv6's unique local space, out of which engines of today pick networks at random: it may be granted whole. */
const UNIQUE_LOCAL = "fd00::/8";

/** The shortest prefix length of a granted network, apart from unique local space, and of a route. */
export const WIDEST: Readonly<Record<Family, number>> = { 4: 8, 6: 32 };

/** The shortest prefix length of an address of a link. */
export const WIDEST_ADDRESS: Readonly<Record<Family, number>> = { 4: 16, 6: 48 };

const network = z.string().superRefine((text, context) => {
  const problem = networkProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

function networkProblem(text: string): string | undefined {
  try {
    if (parseDestination(text) !== text) return `must be written ${JSON.stringify(parseDestination(text))}`;
  } catch (error) {
    return error instanceof DriverError ? error.message : "must be a network, as 10.64.0.0/16";
  }
  const { family, prefix } = networkOf(text);
  if (prefix < WIDEST[family] && text !== UNIQUE_LOCAL)
    return `must be no wider than /${WIDEST[family]}${family === 6 ? `, or be ${UNIQUE_LOCAL}` : ""}`;
  const special = specialRange(networkOf(text));
  return special === undefined ? undefined : `must not touch ${special}, which no driver can be granted`;
}

const list = <T extends z.ZodType>(item: T): z.ZodExactOptional<z.ZodArray<T>> =>
  z.exactOptional(z.array(item).max(1024));
const vni = z.exactOptional(
  z
    .int()
    .min(1)
    .max(2 ** 24 - 1),
);

/** The limits; each may be left out. */
export const netlinkLimits: z.ZodObject = z.strictObject({
  kinds: list(z.enum(LINK_KINDS)),
  prefix: z.exactOptional(z.string().regex(NETLINK_PREFIX, { error: `must match ${NETLINK_PREFIX.source}` })),
  max: z.exactOptional(z.int().min(1).max(65_536)),
  subnets: list(network),
  parents: list(
    z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9._@-]{0,14}$/, { error: "must be a link's name: letters, digits, . _ @ -" }),
  ),
  passthru: z.exactOptional(z.boolean()),
  vniFrom: vni,
  vniTo: vni,
  remotes: list(network),
  ports: list(z.int().min(1).max(65_535)),
});

/** In force where neither side names one; the limits that must be named have no default. */
export const netlinkDefaults = { max: 256, parents: [], passthru: false, remotes: [], ports: [] } as const;

/** Stands in for the limits that must be named, where a plugin is only tried out. */
export const netlinkTried = {
  kinds: ["bridge", "veth", "macvlan"],
  prefix: "bh",
  subnets: ["10.64.0.0/10", "fd64::/32"],
} as const;

/** A pair of prefixes of which one is the beginning of the other: names of two plugins could not be told apart. */
export function clashingPrefixes(
  prefixes: readonly (readonly [plugin: string, prefix: string])[],
): readonly [a: string, b: string] | undefined {
  // In order, whatever begins with a prefix stands right behind it.
  const sorted = prefixes.map(([plugin, prefix], index) => ({ plugin, prefix, index }));
  sorted.sort((a, b) => (a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : a.index - b.index));
  for (const [at, one] of sorted.entries()) {
    for (let next = at + 1; sorted[next]?.prefix.startsWith(one.prefix); next++) {
      const other = sorted[next];
      if (other === undefined || other.plugin === one.plugin) continue;
      return one.index < other.index ? [one.plugin, other.plugin] : [other.plugin, one.plugin];
    }
  }
  return undefined;
}
