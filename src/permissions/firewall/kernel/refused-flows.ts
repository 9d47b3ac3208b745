/** Counts what confined bridges are refused, by source and destination, in sets that the kernel fills and empties by itself. */
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import { FIREWALL } from "../limits.js";
import type { RefusedFlow } from "../refused-flow.js";
import type { ChainRule } from "./chains.js";
import { equal, field, from } from "./expressions.js";

const SETS = { 4: "refused4", 6: "refused6" } as const;
type Family = keyof typeof SETS;
const FAMILIES: readonly Family[] = [4, 6];
const WITH_PORTS: Json = { set: ["tcp", "udp", "sctp"] };

/** The names of the sets. */
export const REFUSED_SETS: readonly string[] = FAMILIES.map((family) => SETS[family]);

/** Returns the commands that add the sets. */
export function refusedSets(table: string): readonly Json[] {
  return FAMILIES.map((family): Json => {
    const address = `ipv${family}_addr`;
    const set = {
      family: "inet",
      table,
      name: SETS[family],
      type: ["ifname", address, address, "inet_proto", "inet_service"],
      flags: ["timeout"],
      timeout: FIREWALL.refusedSeconds,
      size: FIREWALL.refusedPerTable,
      stmt: [{ counter: null }],
    };
    return { add: { set } };
  });
}

/** Returns the rules that count the packets of a bridge that no earlier rule has accepted. */
export function countRefused(bridge: string): readonly ChainRule[] {
  return FAMILIES.flatMap((family) => {
    const protocol = { meta: { key: "l4proto" } };
    const expr = (op: "==" | "!=", port: Json): readonly Json[] => [
      from("==", bridge),
      equal({ meta: { key: "nfproto" } }, family === 6 ? "ipv6" : "ipv4"),
      { match: { op, left: protocol, right: WITH_PORTS } },
      { match: { op: "!=", left: fib("type", ["daddr"]), right: { set: ["broadcast", "multicast"] } } },
      // With bridge-nf-call-iptables, frames between two ports of the bridge come here as well.
      equal(fib("oif", ["daddr", "iif"]), false),
      { limit: { rate: FIREWALL.refusedPerSecond, burst: FIREWALL.refusedBurst, per: "second" } },
      { set: { op: "update", elem: element(family, protocol, port), set: `@${SETS[family]}` } },
    ];
    return [
      { chain: "admit", expr: expr("==", field("th", "dport")) },
      { chain: "admit", expr: expr("!=", 0) },
    ];
  });
}

function fib(result: string, flags: readonly string[]): Json {
  return { fib: { result, flags: [...flags] } };
}

function element(family: Family, protocol: Json, port: Json): Json {
  const address = (name: string): Json => field(family === 6 ? "ip6" : "ip", name);
  const concat = [{ meta: { key: "iifname" } }, address("saddr"), address("daddr"), protocol, port];
  return { elem: { val: { concat }, timeout: FIREWALL.refusedSeconds } };
}

/** Reads sets as nft lists them in JSON, the latest flow first. */
export function readRefused(listings: readonly string[]): readonly RefusedFlow[] {
  return listings
    .flatMap((text) => listAt(JSON.parse(text) as Json, "nftables"))
    .flatMap((row) => listAt(at(row, "set"), "elem").flatMap((one) => readElement(at(one, "elem"))))
    .sort((a, b) => b.left - a.left)
    .map(({ flow }) => flow);
}

/** Reads one element; `left`: the seconds until it is forgotten. */
function readElement(elem: Json): readonly { readonly flow: RefusedFlow; readonly left: number }[] {
  const [bridge = "", source = "", to = "", protocol = "", port = ""] = listAt(at(elem, "val"), "concat").map(String);
  const packets = Number(at(at(elem, "counter"), "packets"));
  if (bridge === "" || !(packets > 0)) return [];
  return [
    { flow: { bridge, from: source, to, protocol, port: Number(port), packets }, left: Number(at(elem, "expires")) },
  ];
}

function at(value: Json, key: string): Json {
  return isJsonObject(value) ? (value[key] ?? null) : null;
}

function listAt(value: Json, key: string): readonly Json[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}
