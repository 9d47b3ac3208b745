/** A network's subnet and its gateway. */
import { quote } from "../common/quote.js";
import { fail } from "../driverapi/fail.js";
import {
  type Address,
  type CIDR,
  type Family,
  formatCIDR,
  networkOf,
  parseAddress,
  parseCIDR,
  widthOf,
} from "./address.js";

/** A subnet and the address of its gateway. */
export interface Subnet extends CIDR {
  /** The network's own address. */
  readonly bits: bigint;
  readonly gateway: bigint;
  /** In CIDR form, canonical: `10.64.0.0/24`. */
  readonly text: string;
}

/** What a subnet is read with. */
export interface SubnetOptions {
  /** Without a prefix length, or with the subnet's. Default: the subnet's first address. */
  readonly gateway?: unknown;
  /** Refuses a subnet of the other family. Default: either family. */
  readonly family?: Family | undefined;
  /** The option's name in messages; the gateway's is the same with "gateway" in it. Default: `subnet`. */
  readonly name?: string;
}

/** The shortest prefix that the `netlink` permission lets a link have, and the longest that leaves room for an endpoint. */
const PREFIXES = { 4: [16, 30], 6: [48, 126] } as const;

/** Parses a subnet such as `10.64.0.0/24` or `fd64::/64`. Throws BadRequest, naming the option and the fault. */
export function parseSubnet(value: unknown, { gateway, family, name = "subnet" }: SubnetOptions = {}): Subnet {
  const cidr = typeof value === "string" ? parseCIDR(value) : undefined;
  if (!cidr || (family !== undefined && cidr.family !== family)) {
    const example = family === 6 ? "fd64::/64" : "10.64.0.0/24";
    fail(
      "BadRequest",
      `${name} ${quote(value)} is not ${family ? `an IPv${family}` : "a"} subnet; give one such as ${example}`,
    );
  }
  const [shortest, longest] = PREFIXES[cidr.family];
  if (cidr.prefix < shortest || cidr.prefix > longest)
    fail("BadRequest", `${name} ${quote(value)} must have a prefix length from ${shortest} to ${longest}`);
  const network = networkOf(cidr);
  const text = formatCIDR(network);
  if (network.bits !== cidr.bits) fail("BadRequest", `${name} ${quote(value)} has host bits set; write ${text}`);
  return { ...network, text, gateway: parseGateway(name.replace("subnet", "gateway"), gateway, network) };
}

/** Returns true if two subnets have an address in common. */
export function overlap(a: CIDR, b: CIDR): boolean {
  if (a.family !== b.family) return false;
  const prefix = Math.min(a.prefix, b.prefix);
  return networkOf({ ...a, prefix }).bits === networkOf({ ...b, prefix }).bits;
}

/** Returns true for an address that a host of the subnet can have: not the network's own, and not IPv4's broadcast. */
export function isHost(subnet: CIDR, { family, bits }: Address): boolean {
  if (family !== subnet.family) return false;
  const first = networkOf(subnet).bits;
  const last = first + (1n << BigInt(widthOf(family) - subnet.prefix)) - 1n;
  return bits > first && (family === 4 ? bits < last : bits <= last);
}

function parseGateway(name: string, value: unknown, network: CIDR): bigint {
  if (value === undefined || value === null || value === "") return network.bits + 1n;
  const suffix = `/${network.prefix}`;
  const text = typeof value === "string" ? value : "";
  const address = parseAddress(text.endsWith(suffix) ? text.slice(0, -suffix.length) : text);
  if (address && isHost(network, address)) return address.bits;
  return fail("BadRequest", `${name} ${quote(value)} is not an address that a host of ${formatCIDR(network)} can have`);
}
