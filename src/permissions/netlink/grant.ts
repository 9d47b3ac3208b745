/** The limits of a `netlink` grant in a manifest or a policy. README.md here has the reasons. */

import { z } from "../../common/zod.js";
import { type Family, parseDestination } from "../../driverapi/addresses.js";
import { DriverError } from "../../driverapi/errors.js";
import { networkOf, specialRange } from "./cidr.js";

/** The kinds of link. */
export const LINK_KINDS = ["bridge", "veth", "macvlan", "vxlan"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** `netlink`: the plugin's own links, their addresses and routes. */
export type NetlinkLimits = {
  /** Kinds of link it may create. Manifest or policy must name them. */
  readonly kinds: readonly LinkKind[];
  /** Link names are `PREFIX-[a-z0-9]+`. Manifest or policy must name it; no plugin's prefix may begin with another's. */
  readonly prefix: string;
  /** Most links it may have at a time; a veth counts as two. */
  readonly max: number;
  /** Networks that contain its addresses and routes. Manifest or policy must name them. */
  readonly subnets: readonly string[];
  /** Links of the machine that may be a macvlan's or vxlan's parent. Only a policy can grant any. */
  readonly parents: readonly string[];
  /** Whether a macvlan may take over its parent. Only a policy can grant it. */
  readonly passthru: boolean;
  /** The lowest vxlan identifier. Only a policy can grant any. A floor: the higher value is stricter. */
  readonly vniFrom?: number;
  /** The highest vxlan identifier. Only a policy can grant any. */
  readonly vniTo?: number;
  /** Networks that contain a vxlan's remote, or its remote hosts. Only a policy can grant any. */
  readonly remotes: readonly string[];
  /** UDP ports that a vxlan may use. Only a policy can grant any. */
  readonly ports: readonly number[];
};

/** A link prefix: short enough to leave room for the rest of the name. */
const NETLINK_PREFIX: RegExp = /^[a-z][a-z0-9]{0,7}$/;

/** IPv6's unique local addresses, from which engines choose networks at random: may be granted as a whole. */
const UNIQUE_LOCAL = "fd00::/8";

/** Shortest prefix length of a route, and of a granted network other than `UNIQUE_LOCAL`. */
export const WIDEST: Readonly<Record<Family, number>> = { 4: 8, 6: 32 };

/** Shortest prefix length of a link's address. */
export const WIDEST_ADDRESS: Readonly<Record<Family, number>> = { 4: 16, 6: 48 };

const network = z.string().superRefine((text, context) => {
  const problem = networkProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

function networkProblem(text: string): string | undefined {
  try {
    if (parseDestination(text) !== text) return `must be written ${JSON.stringify(parseDestination(text))}`;
  } catch (error) {
    return error instanceof DriverError ? error.message : "must be a network, such as 10.64.0.0/16";
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

/** Schema of the limits. Each is optional. */
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

/** Defaults where neither side names a limit; the required ones have none. */
export const netlinkDefaults = { max: 256, parents: [], passthru: false, remotes: [], ports: [] } as const;

/** Values for the required limits when a plugin is only tried out. */
export const netlinkTried = {
  kinds: ["bridge", "veth", "macvlan"],
  prefix: "bh",
  subnets: ["10.64.0.0/10", "fd64::/32"],
} as const;

/** Returns two plugins if one's prefix begins with the other's: their links could not be told apart. */
export function clashingPrefixes(
  prefixes: readonly (readonly [plugin: string, prefix: string])[],
): readonly [a: string, b: string] | undefined {
  // Sorted, texts that begin with a prefix follow it directly.
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
