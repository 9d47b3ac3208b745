/** MAC addresses where none is given: locally administered, unicast, and the same again after a restart. */
import { parseCIDR } from "./addresses.ts";
import { hash64 } from "./names.ts";

/** As libnetwork does: 02:42 and the four bytes of the IPv4 address. Without one, 06 and forty bits made of `words`. */
export function macFor(ipv4: string, words: string): string {
  const bits = parseCIDR(ipv4)?.bits;
  return bits === undefined ? `06:${hex(hash64(words) & 0xffffffffffn, 5)}` : `02:42:${hex(bits, 4)}`;
}

function hex(bits: bigint, bytes: number): string {
  const digits = bits.toString(16).padStart(bytes * 2, "0");
  return (digits.match(/../g) ?? []).join(":");
}
