/** A network's subnets and gateways, as its options give them. */
import type { JsonObject } from "bulkhead/plugin";
import { type Family, formatAddress, parseAddress, parseCIDR, width } from "./addresses.ts";
import { badRequest, quote } from "./errors.ts";

/** A subnet and the address its gateway has. */
export interface Subnet {
  readonly family: Family;
  /** The network's own address. */
  readonly base: bigint;
  readonly prefix: number;
  readonly gateway: bigint;
  /** In CIDR form, canonical. */
  readonly text: string;
}

/**
 * The shortest prefix the `netlink` permission lets a link have, and the longest that leaves an address for an
 * endpoint.
 */
const PREFIXES = { 4: [16, 30], 6: [48, 126] } as const;

/** The keys under which a subnet may stand: a pair of texts, or an object with `subnet` and `gateway`. */
export const SUBNET_KEYS: readonly string[] = ["subnet", "gateway", "subnet6", "gateway6", "ipv4", "ipv6"];

/**
 * Reads `subnet`, `gateway`, `subnet6`, `gateway6`, `ipv4` and `ipv6`; at most one subnet of each family. Throws
 * BadRequest.
 */
function readSubnets(generic: JsonObject): readonly Subnet[] {
  const { subnet, gateway, subnet6, gateway6, ipv4, ipv6 } = generic;
  const pairs = [
    pair("subnet", subnet, gateway, undefined),
    pair("subnet6", subnet6, gateway6, 6),
    nested("ipv4", ipv4, 4),
    nested("ipv6", ipv6, 6),
  ];
  const found = pairs.filter((one) => one !== undefined);
  for (const [index, one] of found.entries()) {
    const twice = found.slice(index + 1).find(({ family }) => family === one.family);
    if (twice)
      badRequest(
        `the options give two IPv${one.family} subnets, ${one.text} and ${twice.text}; a network has one of each family`,
      );
  }
  return found;
}

/** Under this key stand the pools that the platform's address management has given: `{ ipv4: [{ Pool, Gateway }], ipv6: […] }`. */
const IPAM = "com.docker.network.ipam";

/**
 * The subnets of the platform's pools, and of the network's own options for families the platform has none of. A pool that is
 * everything stands for none (Docker's null IPAM). Throws BadRequest; two pools of one family are refused, as by Docker's bridge.
 */
export function readAllSubnets(options: JsonObject, generic: JsonObject): readonly Subnet[] {
  const own = readSubnets(generic);
  const given = options[IPAM] ?? {};
  if (typeof given !== "object" || Array.isArray(given))
    badRequest(`option ${IPAM} must be an object, not ${quote(given)}`);
  const pools = [pool("ipv4", (given as JsonObject).ipv4, 4), pool("ipv6", (given as JsonObject).ipv6, 6)];
  const platforms = pools.filter((one) => one !== undefined);
  for (const one of platforms) {
    const other = own.find(({ family }) => family === one.family);
    if (other && (other.text !== one.text || other.gateway !== one.gateway))
      badRequest(
        `the options give the subnet ${other.text}, and address management ${one.text}, or another gateway in it`,
      );
  }
  return [...platforms, ...own.filter(({ family }) => !platforms.some((one) => one.family === family))];
}

function pool(key: string, value: JsonObject[string] | undefined, family: Family): Subnet | undefined {
  const list = value ?? [];
  if (!Array.isArray(list)) badRequest(`option ${IPAM}: ${key} must be a list, not ${quote(list)}`);
  const [first, another] = list as readonly JsonObject[];
  if (another !== undefined) badRequest(`two pools of IPv${family} are given; a network has one subnet of each family`);
  if (first === undefined) return undefined;
  if (typeof first !== "object" || first === null || Array.isArray(first))
    badRequest(`option ${IPAM}: ${key} must hold objects, not ${quote(first)}`);
  const { Pool: subnet, Gateway: gateway } = first;
  if (subnet === "0.0.0.0/0" || subnet === "::/0") return undefined;
  // Addresses come in the pool's own prefix length, or in none.
  return pair("subnet", subnet, gateway, family);
}

/** True when two subnets have an address in common. */
export function overlap(a: Subnet, b: Subnet): boolean {
  if (a.family !== b.family) return false;
  const shift = BigInt(width(a.family) - Math.min(a.prefix, b.prefix));
  return a.base >> shift === b.base >> shift;
}

function nested(key: string, value: JsonObject[string] | undefined, family: Family): Subnet | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value))
    badRequest(`${key} must be an object with subnet and gateway, not ${quote(value)}`);
  const { subnet, gateway, ...rest } = value as JsonObject;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) badRequest(`${key} has no key ${quote(unknown)}; there are subnet and gateway`);
  return pair(`${key}.subnet`, subnet, gateway, family);
}

function pair(
  key: string,
  subnet: JsonObject[string] | undefined,
  gateway: JsonObject[string] | undefined,
  family: Family | undefined,
): Subnet | undefined {
  const gatewayKey = key.replace("subnet", "gateway");
  if (subnet === undefined || subnet === null || subnet === "") {
    if (gateway !== undefined && gateway !== null && gateway !== "")
      badRequest(`${gatewayKey} ${quote(gateway)} needs a ${key} that it lies in`);
    return undefined;
  }
  const cidr = typeof subnet === "string" ? parseCIDR(subnet) : undefined;
  if (!cidr || (family !== undefined && cidr.family !== family)) {
    badRequest(
      `${key} ${quote(subnet)} is not ${family ? `an IPv${family}` : "a"} subnet, as ${family === 6 ? "fd64::/64" : "10.64.0.0/24"}`,
    );
  }
  const [shortest, longest] = PREFIXES[cidr.family];
  if (cidr.prefix < shortest || cidr.prefix > longest) {
    badRequest(`${key} ${quote(subnet)} must have a prefix length from ${shortest} to ${longest}`);
  }
  const shift = BigInt(width(cidr.family) - cidr.prefix);
  const base = (cidr.bits >> shift) << shift;
  const text = `${formatAddress({ family: cidr.family, bits: base })}/${cidr.prefix}`;
  if (base !== cidr.bits) badRequest(`${key} ${quote(subnet)} has host bits set; write ${text}`);
  const plain = { family: cidr.family, base, prefix: cidr.prefix, text };
  return { ...plain, gateway: readGateway(gatewayKey, gateway, plain) };
}

/** The gateway given, alone or with the subnet's prefix length; by default the subnet's first address. */
function readGateway(key: string, value: JsonObject[string] | undefined, subnet: Omit<Subnet, "gateway">): bigint {
  if (value === undefined || value === null || value === "") return subnet.base + 1n;
  const text = typeof value === "string" ? value.replace(new RegExp(`/${subnet.prefix}$`), "") : "";
  const address = parseAddress(text);
  if (address?.family === subnet.family && isHost(subnet, address.bits)) return address.bits;
  return badRequest(`${key} ${quote(value)} is not an address that a host of ${subnet.text} can have`);
}

/** True for an address within the subnet that stands neither for the network nor, in IPv4, for all of it. */
export function isHost({ family, base, prefix }: Omit<Subnet, "gateway">, bits: bigint): boolean {
  const last = base + (1n << BigInt(width(family) - prefix)) - 1n;
  return bits > base && (family === 4 ? bits < last : bits <= last);
}
