/** Arithmetic on networks. Takes canonical texts only (`driverapi/addresses.ts` makes them). */
import ipaddr from "ipaddr.js";
import { type Family, familyOf } from "../../driverapi/addresses.js";

/** A network: its address with the host bits cleared, and its prefix length. */
export interface Network {
  readonly family: Family;
  readonly bits: bigint;
  readonly prefix: number;
}

/** Returns the network of an address in CIDR form; of a plain address, a network with only that address. */
export function networkOf(text: string): Network {
  const slash = text.indexOf("/");
  const ip = slash < 0 ? text : text.slice(0, slash);
  const family = familyOf(ip);
  const prefix = slash < 0 ? width(family) : Number(text.slice(slash + 1));
  const shift = BigInt(width(family) - prefix);
  return { family, bits: (bitsOf(ip) >> shift) << shift, prefix };
}

/** Returns a network in CIDR form. */
export function textOf({ family, bits, prefix }: Network): string {
  const bytes = Array.from({ length: width(family) / 8 }, (_, at) =>
    Number((bits >> BigInt(width(family) - 8 * (at + 1))) & 0xffn),
  );
  return `${ipaddr.fromByteArray(bytes).toString()}/${prefix}`;
}

/** True if `outer` contains every address of `inner`. */
export function contains(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false;
  const shift = BigInt(width(outer.family) - outer.prefix);
  return outer.bits >> shift === inner.bits >> shift;
}

/** True if the two have an address in common; one then contains the other. */
export function overlaps(a: Network, b: Network): boolean {
  return contains(a, b) || contains(b, a);
}

/** Intersects two lists of networks: of each overlapping pair the narrower, without repetitions. */
export function narrower(a: readonly string[], b: readonly string[]): readonly string[] {
  const common = a.flatMap((one) =>
    b.flatMap((other) => {
      if (contains(networkOf(other), networkOf(one))) return [one];
      return contains(networkOf(one), networkOf(other)) ? [other] : [];
    }),
  );
  return [...new Set(common)];
}

/** Ranges that cannot be an endpoint's network: 0/8, loopback, link-local, multicast, reserved; ::/8, link-local, multicast. */
const SPECIAL = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/8",
  "fe80::/10",
  "ff00::/8",
].map((text) => ({ text, network: networkOf(text) }));

/** Returns the special range that a network overlaps, as text; undefined if there is none. */
export function specialRange(network: Network): string | undefined {
  return SPECIAL.find((one) => overlaps(one.network, network))?.text;
}

/** Returns the bits of an address. */
function width(family: Family): number {
  return family === 4 ? 32 : 128;
}

function bitsOf(ip: string): bigint {
  return ipaddr
    .parse(ip)
    .toByteArray()
    .reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}
