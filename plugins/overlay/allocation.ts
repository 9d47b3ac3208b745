/** Decides which network and host gets what: pure functions from one shared value to the next, which return an unchanged value as it is. */
import { fail, quote } from "bulkhead/plugin";
import { overlap, parseCIDR } from "bulkhead/plugin/addressing";
import {
  type Claim,
  type Claims,
  capacityOf,
  type Member,
  type SharedNetwork,
  type SharedSubnet,
} from "./documents.ts";
import { OVERLAY } from "./limits.ts";

/** What a host asks of a network; undefined or empty accepts what the network has. */
export interface Wish {
  readonly name: string;
  readonly subnets: readonly SharedSubnet[];
  readonly mtu: number | undefined;
}

/** The host itself, without the number that the network gives it. */
export type Applicant = Omit<Member, "n"> & { readonly host: string };

export const NO_CLAIMS: Claims = { serial: 0, networks: {} };

/**
 * Claims a network's name, its subnets, and the lowest free identifier from `firstVni` on. Takes over a claim that is not live with a new id,
 * so that the host that left it half-way cannot make the network any more. Throws Forbidden and BadRequest.
 */
export function claim(claims: Claims, wish: Wish, firstVni: number): Claims {
  const { name } = wish;
  const there = claims.networks[name];
  if (there?.live) return claims;
  const id = claims.serial + 1;
  const made = there ?? freshClaim(claims, wish, firstVni);
  checkSubnets(wish, made.subnets);
  return { serial: id, networks: { ...claims.networks, [name]: { ...made, id, live: false } } };
}

function freshClaim({ networks }: Claims, { name, subnets }: Wish, firstVni: number): Omit<Claim, "id"> {
  if (subnets.length === 0)
    fail(
      "BadRequest",
      `network ${quote(name)} is on no host yet: its first host gives the subnet of all hosts, as -o subnet=10.64.0.0/16`,
    );
  const all = Object.entries(networks);
  if (all.length >= OVERLAY.networks) fail("Forbidden", `there are ${all.length} networks, the most there can be`);
  for (const [other, { subnets: taken }] of all) {
    const clash = taken.find(({ text }) => subnets.some((one) => overlaps(one.text, text)));
    if (clash)
      fail(
        "Forbidden",
        `cannot create network ${quote(name)} (${subnets.map(({ text }) => text).join(", ")}): conflicts with network ${quote(other)} (${clash.text}), which hosts have or began to make; choose another subnet`,
      );
  }
  const used = new Set(all.map(([, { vni }]) => vni));
  let vni = firstVni;
  while (used.has(vni)) vni++;
  return { vni, subnets };
}

/** Marks a claim as live, if it is still the one with this id. */
export function confirm(claims: Claims, name: string, id: number): Claims {
  const there = claims.networks[name];
  if (there?.id !== id || there.live) return claims;
  return { ...claims, networks: { ...claims.networks, [name]: { ...there, live: true } } };
}

/** Gives a network's name, subnets and identifier back, if the claim is still the one with this id. */
export function release(claims: Claims, name: string, id: number): Claims {
  if (claims.networks[name]?.id !== id) return claims;
  const { [name]: _, ...networks } = claims.networks;
  return { ...claims, networks };
}

/**
 * Enters a host: a new one gets the lowest free number, a known one keeps its own. `network` is undefined for the first host.
 * Throws Forbidden if the name is another machine's or no prefix is left, BadRequest if the host asks for other subnets or another MTU.
 */
export function enter(
  network: SharedNetwork | undefined,
  claimed: Claim,
  { host, ...self }: Applicant,
  wish: Wish,
  mtu: number,
): SharedNetwork {
  const into = network ?? { ...claimed, mtu: wish.mtu ?? mtu, hosts: {} };
  checkSubnets(wish, into.subnets);
  checkMtu(wish, into.mtu, mtu);
  const there = into.hosts[host];
  if (there && there.machine !== self.machine)
    fail(
      "Forbidden",
      `host ${quote(host)} is another machine, at ${there.address}, in network ${quote(wish.name)}: give this one another name (option host), or, if that machine is gone for good, give back what it had: bulkhead cluster fence ${host}, and then again with --undo`,
    );
  const twin = Object.entries(into.hosts).find(([name, { address }]) => name !== host && address === self.address);
  if (twin)
    fail("Forbidden", `the address ${self.address} is that of host ${quote(twin[0])} in network ${quote(wish.name)}`);
  if (there && there.address === self.address && there.mac === self.mac) return into;
  const n = there?.n ?? lowestFree(into, wish.name);
  return { ...into, hosts: { ...into.hosts, [host]: { n, ...self } } };
}

/** Removes a host, which frees its prefix. `machine` is undefined if an operator says that the host is gone, whichever machine it was. */
export function leave(network: SharedNetwork, host: string, machine: string | undefined): SharedNetwork {
  const there = Object.hasOwn(network.hosts, host) ? network.hosts[host] : undefined;
  if (!there || (machine !== undefined && there.machine !== machine)) return network;
  const { [host]: _, ...hosts } = network.hosts;
  return { ...network, hosts };
}

function lowestFree({ hosts, subnets }: SharedNetwork, name: string): number {
  const taken = new Set(Object.values(hosts).map(({ n }) => n));
  const most = Math.min(capacityOf(subnets), OVERLAY.hosts);
  for (let n = 0; n < most; n++) if (!taken.has(n)) return n;
  return fail("Forbidden", `network ${quote(name)} has ${taken.size} hosts, and no prefix is left for another`);
}

function checkSubnets({ name, subnets }: Wish, has: readonly SharedSubnet[]): void {
  const odd = subnets.find((one) => !has.some(({ text, length }) => text === one.text && length === one.length));
  if (odd === undefined) return;
  const shown = has.map(({ text, length }) => `${text} with a /${length} for each host`).join(", ");
  fail(
    "BadRequest",
    `network ${quote(name)} has ${shown}, and ${odd.text} with a /${odd.length} is asked for; leave the subnet out (of an engine, with --ipam-driver null)`,
  );
}

function checkMtu({ name, mtu: wanted }: Wish, has: number, most: number): void {
  if (wanted !== undefined && wanted !== has)
    fail("BadRequest", `network ${quote(name)} has the MTU ${has}, and ${wanted} is asked for; leave mtu out`);
  if (has > most)
    fail(
      "Forbidden",
      `network ${quote(name)} has the MTU ${has}, and this host's parent carries ${most} at most: raise the parent's MTU, or create the network with -o mtu=${most} on all hosts`,
    );
}

function overlaps(a: string, b: string): boolean {
  const [one, other] = [parseCIDR(a), parseCIDR(b)];
  return one !== undefined && other !== undefined && overlap(one, other);
}
