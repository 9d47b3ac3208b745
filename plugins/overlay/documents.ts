/**
 * What the hosts share, and how it is read. The key `claims` has one value for all networks: it decides names, identifiers and subnets.
 * The key `networks/NAME` has a network with its hosts: it decides which host has which prefix. A hostile host may have written anything.
 */
import type { Json, JsonObject } from "bulkhead/plugin";
import { type CIDR, formatAddress, formatCIDR, networkOf, parseAddress, parseCIDR } from "bulkhead/plugin/addressing";
import { OVERLAY } from "./limits.ts";

/** A subnet of a network, and the length of the prefix that each host has of it. */
export interface SharedSubnet {
  /** CIDR form, canonical. */
  readonly text: string;
  readonly length: number;
}

/** A name with its identifier and its subnets, which no other name has. */
export interface Claim {
  /** Unique among all claims ever made; a later claim has a higher id. */
  readonly id: number;
  readonly vni: number;
  /** At most one of each family. */
  readonly subnets: readonly SharedSubnet[];
}

export interface Claims {
  /** The last id given. */
  readonly serial: number;
  /** `live`: the network has been made. Its value has the claim's id, or its last host has deleted the value. */
  readonly networks: Readonly<Record<string, Claim & { readonly live: boolean }>>;
}

/** A host of a network. */
export interface Member {
  /** The index of its prefix in each subnet. */
  readonly n: number;
  /** Identifies the machine, to distinguish another one with the same host name. */
  readonly machine: string;
  /** Its address in the network that carries the tunnels. */
  readonly address: string;
  /** The MAC address of its vxlan. */
  readonly mac: string;
}

export interface SharedNetwork extends Claim {
  readonly mtu: number;
  readonly hosts: Readonly<Record<string, Member>>;
}

export const CLAIMS = "claims";
export const NETWORKS = "networks/";

const NAME = /^[a-z0-9][a-z0-9_.-]*$/;
const MACHINE = /^[0-9a-f]{16}$/;
const MAC = /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/;

/** True for the name of a network or a host. Names are keys of objects, so those that every object has, as `constructor`, are none. */
export function isName(value: unknown): value is string {
  return (
    typeof value === "string" && value.length <= OVERLAY.nameChars && NAME.test(value) && !(value in Object.prototype)
  );
}

/** Reads the value of `claims`. Throws an error that says what is wrong with it. */
export function readClaims(value: Json): Claims {
  const { serial, networks } = fields(CLAIMS, value, ["serial", "networks"]);
  return {
    serial: whole("serial", serial, 0, Number.MAX_SAFE_INTEGER),
    networks: named("networks", networks, OVERLAY.networks, (name, one) => {
      const given = fields(name, one, ["id", "vni", "subnets", "live"]);
      return { ...readClaim(name, given), live: given.live === true };
    }),
  };
}

/** Reads the value of a key `networks/NAME`. Throws an error that says what is wrong with it. */
export function readNetwork(value: Json): SharedNetwork {
  const given = fields("network", value, ["id", "vni", "subnets", "mtu", "hosts"]);
  const claim = readClaim("network", given);
  const most = capacityOf(claim.subnets);
  const hosts = named("hosts", given.hosts, OVERLAY.hosts, (name, one): Member => {
    const { n, machine, address, mac } = fields(name, one, ["n", "machine", "address", "mac"]);
    return {
      n: whole(`${name}: n`, n, 0, most - 1),
      machine: matched(`${name}: machine`, machine, MACHINE),
      address: plainAddress(`${name}: address`, address),
      mac: matched(`${name}: mac`, mac, MAC),
    };
  });
  const all = Object.values(hosts);
  for (const field of ["n", "address", "mac"] as const)
    if (new Set(all.map((one) => one[field])).size < all.length) wrong("hosts", `two have the same ${field}`);
  return { ...claim, mtu: whole("mtu", given.mtu, 68, 9216), hosts };
}

/** Returns the number of prefixes, which is that of the subnet with the fewest. */
export function capacityOf(subnets: readonly SharedSubnet[]): number {
  return Math.min(...subnets.map(({ text, length }) => 2 ** (length - (parseCIDR(text)?.prefix ?? length))));
}

function readClaim(what: string, { id, vni, subnets }: JsonObject): Claim {
  if (!Array.isArray(subnets) || subnets.length < 1 || subnets.length > 2) wrong(what, "subnets must be one or two");
  const read = (subnets as readonly Json[]).map((one): SharedSubnet => {
    const { text, length } = fields(`${what}: subnet`, one, ["text", "length"]);
    const cidr = typeof text === "string" ? parseCIDR(text) : undefined;
    if (!cidr || formatCIDR(networkOf(cidr)) !== text) wrong(what, "a subnet is not in canonical CIDR form");
    const [shortest, longest] = LENGTHS[cidr.family];
    if (cidr.prefix < shortest) wrong(what, `a subnet is wider than /${shortest}`);
    const bits = Math.min(longest, cidr.prefix + OVERLAY.prefixBits);
    return { text: text as string, length: whole(`${what}: length`, length, cidr.prefix, bits) };
  });
  const families = new Set(read.map(({ text }) => parseCIDR(text)?.family));
  if (families.size < read.length) wrong(what, "there are two subnets of one family");
  return {
    id: whole(`${what}: id`, id, 1, Number.MAX_SAFE_INTEGER),
    vni: whole(`${what}: vni`, vni, 1, 2 ** 24 - 1),
    subnets: read,
  };
}

/** The widest subnet, and the longest prefix of a host, by family. */
export const LENGTHS: Readonly<Record<CIDR["family"], readonly [shortest: number, longest: number]>> = {
  4: [16, 30],
  6: [48, 126],
};

function wrong(what: string, why: string): never {
  throw new Error(`${what}: ${why}`);
}

function fields(what: string, value: Json | undefined, keys: readonly string[]): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(what, "is not an object");
  const object = value as JsonObject;
  const odd = Object.keys(object).find((key) => !keys.includes(key)) ?? keys.find((key) => !Object.hasOwn(object, key));
  if (odd !== undefined) wrong(what, `has another field than ${keys.join(", ")}, or lacks one`);
  return object;
}

function named<T>(what: string, value: Json | undefined, most: number, read: (name: string, one: Json) => T) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(what, "is not an object");
  const entries = Object.entries(value as JsonObject);
  if (entries.length > most) wrong(what, `has more than ${most} entries`);
  if (!entries.every(([name]) => isName(name))) wrong(what, "has a key that is not a name");
  return Object.fromEntries(entries.map(([name, one]) => [name, read(name, one)])) as Record<string, T>;
}

function whole(what: string, value: Json | undefined, least: number, most: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  return wrong(what, `must be a whole number from ${least} to ${most}`);
}

function matched(what: string, value: Json | undefined, form: RegExp): string {
  return typeof value === "string" && form.test(value) ? value : wrong(what, `does not match ${form.source}`);
}

function plainAddress(what: string, value: Json | undefined): string {
  const address = typeof value === "string" ? parseAddress(value) : undefined;
  if (address && formatAddress(address) === value) return value as string;
  return wrong(what, "is not an address in canonical form");
}
