/** The shortest lists that allow just what was used. */
import ipaddr from "ipaddr.js";
import { parseDestination } from "../driverapi/addresses.js";
import { contains, type Network, networkOf } from "../permissions/netlink/cidr.js";

/**
 * Returns networks that together hold the same addresses: contained ones left out, halves of one network joined. A plugin chooses the
 * texts, so each length of prefix is visited once.
 */
export function coverNetworks(texts: readonly string[], widest: Readonly<Record<4 | 6, number>>): readonly string[] {
  const networks = new Map(distinct(texts.map(networkOf)).map((one) => [keyOf(one), one]));
  for (let prefix = 128; prefix > 0; prefix--) {
    for (const one of [...networks.values()]) {
      if (one.prefix !== prefix || prefix <= widest[one.family] || !networks.has(keyOf(one))) continue;
      const bit = 1n << BigInt((one.family === 4 ? 32 : 128) - prefix);
      const other = keyOf({ ...one, bits: one.bits ^ bit });
      if (!networks.delete(other)) continue;
      networks.delete(keyOf(one));
      const whole = { family: one.family, prefix: prefix - 1, bits: one.bits & ~bit };
      networks.set(keyOf(whole), whole);
    }
  }
  return distinct([...networks.values()]).map(textOf);
}

/** Returns ranges of ports, in order: `80`, `8000-8002`. */
export function coverPorts(ports: readonly number[]): readonly string[] {
  const ranges: { from: number; to: number }[] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && port === last.to + 1) last.to = port;
    else ranges.push({ from: port, to: port });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`));
}

function keyOf({ family, prefix, bits }: Network): string {
  return `${family} ${prefix} ${bits}`;
}

/** Returns a network in canonical form. */
function textOf({ family, bits, prefix }: Network): string {
  const length = family === 4 ? 4 : 16;
  const bytes = Array.from({ length }, (_, at) => Number((bits >> BigInt(8 * (length - 1 - at))) & 0xffn));
  return parseDestination(`${ipaddr.fromByteArray(bytes).toString()}/${prefix}`);
}

/** Leaves out networks that another contains, and sorts: IPv4 first, then by address. */
function distinct(networks: readonly Network[]): readonly Network[] {
  const sorted = [...networks].sort((a, b) =>
    a.family !== b.family ? a.family - b.family : a.bits !== b.bits ? (a.bits < b.bits ? -1 : 1) : a.prefix - b.prefix,
  );
  const kept: Network[] = [];
  for (const one of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !contains(last, one)) kept.push(one);
  }
  return kept;
}
