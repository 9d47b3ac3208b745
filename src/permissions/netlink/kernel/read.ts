/** Reads the output of `ip -json`: links and routes. The kernel is trusted; missing fields are left out. */
import ipaddr from "ipaddr.js";
import { parseCIDR, parseIP } from "../../../driverapi/addresses.js";
import type { AddressView, ForwardView, LinkView, NeighbourView, RouteView } from "../backend.js";
import type { LinkCounters } from "../link-spec.js";

type Row = Readonly<Record<string, unknown>>;

/** Reads one list per command of a batch. Throws a plain Error for anything else. */
export function readLists(stdout: string): readonly (readonly Row[])[] {
  return stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const list: unknown = JSON.parse(line);
      if (!Array.isArray(list)) throw new Error("ip did not print a list");
      return list.filter((row): row is Row => typeof row === "object" && row !== null && Object.keys(row).length > 0);
    });
}

/** Reads a link of `ip address show` or `ip link show`; undefined for any other row. */
export function readLink(row: Row): LinkView | undefined {
  const { ifname, ifindex, flags, mtu, address, permaddr, master, ifalias, linkinfo, addr_info, stats64 } = row;
  if (typeof ifname !== "string" || typeof ifindex !== "number") return undefined;
  const kind = (linkinfo as Row | undefined)?.info_kind;
  const counters = readCounters(stats64 as Row | undefined);
  return {
    name: ifname,
    ifindex,
    up: Array.isArray(flags) && flags.includes("UP"),
    mtu: typeof mtu === "number" ? mtu : 0,
    mac: typeof address === "string" ? address : "",
    addresses: Array.isArray(addr_info) ? addr_info.flatMap((one: Row) => readAddress(one) ?? []) : [],
    ...(typeof kind === "string" ? { kind } : {}),
    ...(typeof permaddr === "string" ? { permanentMac: permaddr } : {}),
    ...(typeof master === "string" ? { master } : {}),
    ...(typeof ifalias === "string" ? { alias: ifalias } : {}),
    ...(counters === undefined ? {} : { counters }),
  };
}

/** Reads a route of `ip route show table all`. */
export function readRoute(row: Row): RouteView | undefined {
  const { dst, dev, gateway, nexthops, via } = row;
  if (typeof dst !== "string") return undefined;
  const hops = Array.isArray(nexthops) ? (nexthops as readonly Row[]) : [];
  const gateways = [
    gateway,
    (via as Row | undefined)?.host,
    ...hops.flatMap((hop) => [hop.gateway, (hop.via as Row)?.host]),
  ]
    .filter((one) => typeof one === "string")
    .flatMap((one) => quietly(() => parseIP(one)) ?? []);
  const six = gateways.some((one) => one.includes(":")) || "pref" in row;
  const destination = dst === "default" ? (six ? "::/0" : "0.0.0.0/0") : quietly(() => cidr(dst));
  if (destination === undefined) return undefined;
  return { destination, via: gateways, ...(typeof dev === "string" ? { dev } : {}) };
}

/** Reads an entry of `ip neighbour show`. */
export function readNeighbour({ dst, dev, lladdr }: Row): NeighbourView | undefined {
  const ip = typeof dst === "string" ? quietly(() => parseIP(dst)) : undefined;
  return ip !== undefined && typeof dev === "string" && typeof lladdr === "string"
    ? { dev, ip, mac: lladdr }
    : undefined;
}

/** Reads an entry of `bridge fdb show`; undefined for one that does not lead to a host. */
export function readForward({ mac, ifname, dst }: Row): ForwardView | undefined {
  const host = typeof dst === "string" ? quietly(() => parseIP(dst)) : undefined;
  return host !== undefined && typeof ifname === "string" && typeof mac === "string"
    ? { dev: ifname, mac, host }
    : undefined;
}

/**
 * Reads the name servers of a `resolv.conf`, canonical. The C library also accepts `10.53` and `::ffff:10.0.0.53`, which both mean
 * 10.0.0.53.
 */
export function readResolvers(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+([^\s%]+)/gm)].flatMap(
    ([, ip = ""]) => quietly(() => parseIP(ipaddr.process(ip).toString())) ?? [],
  );
}

function readAddress({ local, address, prefixlen }: Row): AddressView | undefined {
  const ip = typeof local === "string" ? quietly(() => parseIP(local)) : undefined;
  const peer = typeof address === "string" ? quietly(() => parseIP(address)) : undefined;
  if (ip === undefined || typeof prefixlen !== "number") return undefined;
  return { ip, prefix: prefixlen, ...(peer === undefined ? {} : { peer }) };
}

function readCounters(stats: Row | undefined): LinkCounters | undefined {
  const [rx, tx] = [stats?.rx as Row | undefined, stats?.tx as Row | undefined];
  if (rx === undefined || tx === undefined) return undefined;
  return {
    rxBytes: Number(rx.bytes),
    rxPackets: Number(rx.packets),
    txBytes: Number(tx.bytes),
    txPackets: Number(tx.packets),
  };
}

function cidr(text: string): string {
  if (text.includes("/")) return parseCIDR(text);
  return `${parseIP(text)}/${text.includes(":") ? 128 : 32}`;
}

/** Returns undefined for addresses that do not parse, such as mapped ones. */
function quietly<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
