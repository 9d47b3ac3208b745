/** IP addresses as numbers: parsing, formatting, masking. */
import type { Family } from "../driverapi/addresses.js";

export type { Family };

/** An IP address. */
export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

/** An IP address with a prefix length. Host bits may be set. */
export interface CIDR extends Address {
  readonly prefix: number;
}

/** Returns the number of bits in an address. */
export function widthOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** Parses `10.64.0.2` or `fd64::2`. Returns undefined for anything else, a prefix length included. */
export function parseAddress(text: string): Address | undefined {
  const family = text.includes(":") ? 6 : 4;
  const bits = family === 6 ? parse6(text) : parse4(text);
  return bits === undefined ? undefined : { family, bits };
}

/** Parses `10.64.0.2/24` or `fd64::2/64`. Returns undefined for anything else. */
export function parseCIDR(text: string): CIDR | undefined {
  const found = /^(.+)\/(\d{1,3})$/.exec(text);
  const address = parseAddress(found?.[1] ?? "");
  const prefix = Number(found?.[2]);
  return address && prefix <= widthOf(address.family) ? { ...address, prefix } : undefined;
}

/** Formats an address canonically, IPv6 as RFC 5952 says. */
export function formatAddress({ family, bits }: Address): string {
  return family === 4 ? [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".") : format6(bits);
}

/** Formats an address with its prefix length, canonically. */
export function formatCIDR(cidr: CIDR): string {
  return `${formatAddress(cidr)}/${cidr.prefix}`;
}

/** Returns the network that an address is in: `10.64.0.2/24` is in `10.64.0.0/24`. */
export function networkOf({ family, bits, prefix }: CIDR): CIDR {
  const shift = BigInt(widthOf(family) - prefix);
  return { family, bits: (bits >> shift) << shift, prefix };
}

function parse4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function parse6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** RFC 5952: `::` replaces the first of the longest runs of two or more zero groups. */
function format6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(16 * (7 - index))) & 0xffffn));
  let [start, length] = [0, 0];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const words = groups.map((group) => group.toString(16));
  if (length < 2) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + length).join(":")}`;
}
