/** The smallest grant under which a plugin could have done what it was seen to do, as a difference from the present one. Pure. */
import { PERMISSIONS, type PermissionName, type PermissionRow } from "../permissions/catalogue.js";
import { WIDEST } from "../permissions/netlink/grant.js";
import { type Difference, differences } from "../policy/difference.js";
import { effectiveGrant, type GrantQuestion } from "../policy/effective.js";
import { type Grant, policyEntry } from "../policy/schema.js";
import { termsOf } from "../policy/terms.js";
import { coverNetworks, coverPorts } from "./cover.js";
import { LEARNING } from "./limits.js";
import { FIRST_GRANTED } from "./netlink-use.js";
import type { FirewallUsage, NetlinkUsage, TrafficUsage, Usage } from "./usage.js";

export interface Proposal {
  /** For the plugin's entry in the policy. */
  readonly grant: Grant;
  /** Permissions that stay as they are granted, although no use was seen: the manifest requires them, or every plugin has them. */
  readonly kept: readonly string[];
  /** Permissions that were granted and not used: left out. */
  readonly unused: readonly string[];
  /** From the present grant to the proposed one. */
  readonly differences: readonly Difference[];
}

/** Limits of a present grant that stay where nothing was used in their place. */
interface GrantedLists {
  readonly prefix?: string;
  readonly subnets?: readonly string[];
  readonly remotes?: readonly string[];
  readonly ports?: readonly (string | number)[];
}

/** Proposes a grant. `usage`: what was seen; the rest: the plugin and the policy that it runs under. */
export function propose(usage: Usage, question: GrantQuestion): Proposal {
  const { id, manifest, policy } = question;
  const entry = policyEntry(policy, id) ?? {};
  const { scope, ...named } = entry.grant ?? {};
  const present = effectiveGrant(question);
  const grant: Record<string, unknown> = scope === "global" ? { scope } : {};
  const kept: string[] = [];
  const unused: string[] = [];
  for (const name of Object.keys(PERMISSIONS) as PermissionName[]) {
    const granted = present.permissions[name];
    if (granted === undefined) continue;
    const least = leastLimits(name, usage, granted as never);
    const own = named[name];
    if (least !== undefined) grant[name] = least;
    else if (own === undefined) continue;
    else if (isNeeded(name, question)) {
      grant[name] = own;
      kept.push(name);
    } else unused.push(name);
  }
  const plugins = { ...policy.plugins, [id]: { ...entry, grant: grant as Grant } };
  const proposed = effectiveGrant({ ...question, manifest, policy: { ...policy, plugins } });
  return { grant: grant as Grant, kept, unused, differences: differences(termsOf(present), termsOf(proposed)) };
}

/** Returns true for a permission that stays although unused: every plugin has it, or the manifest requires it or lists none. */
function isNeeded(name: PermissionName, { manifest }: GrantQuestion): boolean {
  const { harmless }: PermissionRow = PERMISSIONS[name] as never;
  return harmless || manifest?.permissions === undefined || Object.hasOwn(manifest.permissions, name);
}

/** Returns the limits that cover what was used; undefined if the permission was not used. */
function leastLimits(
  name: PermissionName,
  { netlink, firewall, traffic, store }: Usage,
  granted: GrantedLists,
): object | undefined {
  if (name === "netlink" && netlink) return netlinkLimits(netlink, granted);
  if (name === "firewall" && firewall) return firewallLimits(firewall, granted);
  if (name === "traffic" && traffic) return trafficLimits(traffic);
  if (name === "store" && store) return { bytes: Math.max(1, store.bytes), keys: Math.max(1, store.keys) };
  return undefined;
}

/** Returns false for a list that is empty or too long: the host compares each of its networks with each of the manifest's. */
function isProposable({ length }: readonly string[]): boolean {
  return length > 0 && length <= LEARNING.networks;
}

function netlinkLimits(used: NetlinkUsage, { prefix, subnets, remotes: grantedRemotes, ports }: GrantedLists): object {
  const networks = coverNetworks(used.networks, WIDEST);
  const remotes = coverNetworks(used.remotes, WIDEST);
  const tunnels = used.ports.flatMap((port) => (port === FIRST_GRANTED ? (ports ?? []).slice(0, 1) : [port]));
  return {
    kinds: [...used.kinds].sort(),
    ...(prefix === undefined ? {} : { prefix }),
    max: Math.max(1, used.links),
    // A grant needs one: where no address was used, or too many separate ones, the granted networks stay.
    subnets: isProposable(networks) ? networks : (subnets ?? []),
    ...(used.parents.length > 0 ? { parents: [...used.parents].sort() } : {}),
    ...(used.passthru ? { passthru: true } : {}),
    ...(used.vnis.length > 0 ? { vniFrom: Math.min(...used.vnis), vniTo: Math.max(...used.vnis) } : {}),
    ...(isProposable(remotes) ? { remotes } : grantedRemotes && remotes.length > 0 ? { remotes: grantedRemotes } : {}),
    ...(tunnels.length > 0 ? { ports: tunnels } : {}),
  };
}

function firewallLimits(used: FirewallUsage, { ports }: GrantedLists): object {
  const published = coverPorts(used.ports);
  return { ports: published.length > 0 ? published : (ports ?? []), max: used.rules };
}

/** A limit of an effect that was not used stays the permission's own. */
function trafficLimits({ effects, links, rates, delay, loss }: TrafficUsage): object {
  const kbit = rates.map((rate) => rate / 1_000);
  return {
    effects: [...effects].sort(),
    ...(kbit.length === 0 ? {} : { minKbit: Math.floor(Math.min(...kbit)), maxKbit: Math.ceil(Math.max(...kbit)) }),
    ...(delay === 0 ? {} : { maxDelayMs: Math.ceil(delay / 1_000) }),
    ...(loss === 0 ? {} : { maxLossPercent: Math.ceil(loss) }),
    max: Math.max(1, links),
  };
}
