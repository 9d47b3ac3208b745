/** One network's addresses of one family. */
import ipaddr from "ipaddr.js";
import { badRequest, forbidden } from "./errors.ts";

export interface Pool {
  /** In CIDR: `10.98.0.0/24`. */
  readonly subnet: string;
  /** The subnet's first address: `10.98.0.1`. */
  readonly gateway: string;
  /** The lowest free address with its prefix length: `10.98.0.2/24`. */
  take(): string;
  /** Marks an address as taken, and gives it back; "" is none. */
  keep(address: string): string;
  free(address: string): void;
}

/** The shortest and longest prefix that make sense here. */
const PREFIXES = { ipv4: [8, 30], ipv6: [48, 126] } as const;

export function openPool(text: string, family: "ipv4" | "ipv6"): Pool {
  const [shortest, longest] = PREFIXES[family];
  const wrong = `subnet ${JSON.stringify(text)} is not an ${family} network between /${shortest} and /${longest}`;
  if (typeof text !== "string" || !ipaddr.isValidCIDR(text)) badRequest(wrong);
  const [address, prefix] = ipaddr.parseCIDR(text);
  if (address.kind() !== family || prefix < shortest || prefix > longest) badRequest(wrong);

  const bytes = address.toByteArray();
  const size = 1n << BigInt(bytes.length * 8 - prefix);
  const value = toNumber(bytes);
  const first = value - (value % size);
  const at = (offset: bigint): string => toText(first + offset, bytes.length);
  // IPv4 keeps its last address for broadcast.
  const end = family === "ipv4" ? size - 1n : size;
  // Without prefix lengths: the platform may give an address with another one.
  const taken = new Set<string>();
  const bare = (cidr: string): string => ipaddr.parseCIDR(cidr)[0].toString();

  return {
    subnet: `${at(0n)}/${prefix}`,
    gateway: at(1n),
    take() {
      for (let offset = 2n; offset < end; offset++) {
        const found = at(offset);
        if (taken.has(found)) continue;
        taken.add(found);
        return `${found}/${prefix}`;
      }
      return forbidden(`subnet ${text} has no free address`);
    },
    keep(address) {
      if (address !== "") taken.add(bare(address));
      return address;
    },
    free(address) {
      if (address !== "") taken.delete(bare(address));
    },
  };
}

function toNumber(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function toText(value: bigint, length: number): string {
  const bytes = Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}
