/** MAC addresses for interfaces that were given none. */
import { parseCIDR } from "./address.js";
import { hash64 } from "./hash.js";

/**
 * Returns a locally administered unicast MAC address, the same after every restart. It is libnetwork's, `02:42` and the four
 * bytes of the IPv4 address (in CIDR form); without one, `06` and 40 bits hashed from `seed`.
 */
export function macFor(ipv4: string, seed: string): string {
  const address = parseCIDR(ipv4);
  return address ? `02:42:${hex(address.bits, 4)}` : `06:${hex(hash64(seed) & 0xffffffffffn, 5)}`;
}

function hex(bits: bigint, bytes: number): string {
  const digits = bits.toString(16).padStart(bytes * 2, "0");
  return (digits.match(/../g) ?? []).join(":");
}
