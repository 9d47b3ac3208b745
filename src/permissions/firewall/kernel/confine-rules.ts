/**
 * Rules for bridges whose containers reach only what is allowed. Allowed packets are marked before routing; the kernel routes no unmarked
 * packet from such a bridge (`route-guard.ts`), so none is routed while this table is missing.
 */
import type { Json } from "../../../driverapi/json.js";
import type { TimedAllow } from "../allowed.js";
import { FIREWALL } from "../limits.js";
import { type AllowSpec, confines, type FirewallRule, isSix } from "../rule.js";
import type { ChainRule } from "./chains.js";
import { equal, field, from, fromAny, OPEN, source, to } from "./expressions.js";
import { countRefused } from "./refused-flows.js";

/** The bit of the packet mark that means "this packet of a confined bridge may be routed". */
export const ROUTED = 0x1000_0000;

const MARK: Json = { meta: { key: "mark" } };
const SET: Json = { mangle: { key: MARK, value: { "|": [MARK, ROUTED] } } };
const CLEAR: Json = { mangle: { key: MARK, value: { "&": [MARK, 0xffff_ffff - ROUTED] } } };
const ACCEPT: Json = { accept: null };
const DROP: Json = { drop: null };
/**
 * Matches a source that is behind the bridge, or one that is not. A container could otherwise send itself a packet under a foreign source,
 * and its reply to that source would be `established`, and so allowed.
 */
const genuine = (is: boolean): Json => equal({ fib: { result: "oif", flags: ["saddr", "iif"] } }, is);
const NOT_ROUTED: Json = equal({ "&": [MARK, ROUTED] }, 0);
export const IS_ROUTED: Json = { match: { op: "!=", left: { "&": [MARK, ROUTED] }, right: 0 } };
/** Addresses with a time to live come from a name server's answers, which must not lead to the host's own addresses. */
const NOT_HOST: Json = { match: { op: "!=", left: { fib: { result: "type", flags: ["daddr"] } }, right: "local" } };
const DNS_PROTOCOLS = ["udp", "tcp"] as const;

/** Neighbour discovery and multicast membership: without them IPv6 does not work on the bridge itself. */
const NEIGHBOURS: Json = {
  match: {
    op: "==",
    left: field("icmpv6", "type"),
    right: {
      set: [
        "nd-neighbor-solicit",
        "nd-neighbor-advert",
        "nd-router-solicit",
        "mld-listener-report",
        "mld2-listener-report",
      ],
    },
  },
};

/** The sets of allowed addresses, by family. */
const SETS = { 4: "allowed4", 6: "allowed6" } as const;
type Family = keyof typeof SETS;
const FAMILIES: readonly Family[] = [4, 6];

/** Returns the bridges that are confined, sorted. */
export function confined(rules: readonly FirewallRule[]): readonly string[] {
  return rules.flatMap((rule) => (confines(rule) ? [rule.bridge] : [])).sort();
}

/** Returns the commands that add the sets of allowed addresses and fill them. */
export function allowedSets(table: string, allowed: readonly TimedAllow[]): readonly Json[] {
  const sets = FAMILIES.map((family): Json => {
    const type = ["ifname", `ipv${family}_addr`, "inet_proto", "inet_service"];
    const set = { family: "inet", table, name: SETS[family], type, flags: ["timeout"], size: FIREWALL.allowedPerTable };
    return { add: { set } };
  });
  return [...sets, ...FAMILIES.flatMap((family) => element("add", table, family, allowed))];
}

/** Returns the commands that allow addresses, or extend the time of those that are allowed. */
export function allowMore(table: string, allowed: readonly TimedAllow[]): readonly Json[] {
  // Adding an existing element does not extend its time, and deleting a missing one fails.
  return FAMILIES.flatMap((family) =>
    (["add", "delete", "add"] as const).flatMap((op) => element(op, table, family, allowed)),
  );
}

function element(op: "add" | "delete", table: string, family: Family, allowed: readonly TimedAllow[]): readonly Json[] {
  const elem = allowed.flatMap(({ bridge, to: ip, protocol, port, seconds }): Json[] => {
    if (isSix(ip) !== (family === 6)) return [];
    const val = { concat: [bridge, ip, protocol, port] };
    return [op === "add" ? { elem: { val, timeout: seconds } } : val];
  });
  return elem.length === 0 ? [] : [{ [op]: { element: { family: "inet", table, name: SETS[family], elem } } }];
}

/** Returns the rules that let the plugin's confined bridges reach what is allowed, and nothing else. */
export function confineRules(rules: readonly FirewallRule[]): readonly ChainRule[] {
  const bridges = confined(rules);
  if (bridges.length === 0) return [];
  const admit = (...expr: Json[]): ChainRule => ({ chain: "admit", expr });
  return [
    // What most packets need comes first: every packet of the host passes this chain.
    admit(fromAny("!=", bridges), ACCEPT),
    admit(OPEN, genuine(true), SET, ACCEPT),
    admit(CLEAR),
    // Duplicate address detection sends from the unspecified address.
    admit(NEIGHBOURS, ACCEPT),
    admit(genuine(false), DROP),
    ...rules.flatMap((rule) =>
      rule.kind === "allow" && bridges.includes(rule.bridge)
        ? [admit(from("==", rule.bridge), ...destination(rule), SET, ACCEPT)]
        : [],
    ),
    ...FAMILIES.map((family) => admit(lookup(family), NOT_HOST, SET, ACCEPT)),
    ...bridges.flatMap((bridge) => [
      ...queries(bridge, rules).map((expr) => admit(...expr, ACCEPT)),
      ...countRefused(bridge),
      ...toHost(bridge, rules),
    ]),
    ...rules.flatMap((rule): ChainRule[] =>
      rule.kind === "masquerade" && bridges.includes(rule.bridge)
        ? [{ chain: "leave", expr: [to("!=", rule.bridge), source(rule.subnet), DROP] }]
        : [],
    ),
    ...bridges.map(
      (bridge): ChainRule => ({ chain: "forward", expr: [from("==", bridge), to("!=", bridge), NOT_ROUTED, DROP] }),
    ),
  ];
}

/** Returns the rules for what a confined bridge sends to the host itself. */
function toHost(bridge: string, rules: readonly FirewallRule[]): readonly ChainRule[] {
  const input = (...expr: Json[]): ChainRule => ({ chain: "input", expr: [from("==", bridge), ...expr] });
  return [
    input(IS_ROUTED, ACCEPT),
    ...queries(bridge, rules).map((expr): ChainRule => ({ chain: "input", expr: [...expr, ACCEPT] })),
    input(NEIGHBOURS, ACCEPT),
    input(DROP),
  ];
}

/** Returns matches for name queries to a confined bridge's own addresses, one per address and protocol. */
function queries(bridge: string, rules: readonly FirewallRule[]): readonly (readonly Json[])[] {
  return rules.flatMap((rule) =>
    rule.kind === "resolve" && rule.bridge === bridge
      ? DNS_PROTOCOLS.map((protocol) => [
          from("==", bridge),
          equal(address(rule.ip), rule.ip),
          equal(field(protocol, "dport"), 53),
        ])
      : [],
  );
}

/** Returns the rules that bring a bridge's DNS traffic to the bridge's own address. */
export function resolveRules(bridge: string, ip: string): readonly ChainRule[] {
  return DNS_PROTOCOLS.map((protocol) => ({
    chain: "prerouting",
    expr: [
      from("==", bridge),
      equal({ meta: { key: "nfproto" } }, isSix(ip) ? "ipv6" : "ipv4"),
      equal(field(protocol, "dport"), 53),
      { dnat: { family: isSix(ip) ? "ip6" : "ip", addr: ip, port: 53 } },
    ],
  }));
}

/** Matches packets from a bridge to an address, protocol and port that are allowed for that bridge. */
function lookup(family: Family): Json {
  const daddr = field(family === 6 ? "ip6" : "ip", "daddr");
  const concat = [{ meta: { key: "iifname" } }, daddr, { meta: { key: "l4proto" } }, field("th", "dport")];
  return equal({ concat }, `@${SETS[family]}`);
}

function destination({ to: target, protocol, port, lastPort = port }: AllowSpec): readonly Json[] {
  const [addr = "", len] = target.split("/");
  return [
    equal(address(target), len === undefined ? addr : { prefix: { addr, len: Number(len) } }),
    equal(field(protocol, "dport"), lastPort === port ? port : { range: [port, lastPort] }),
  ];
}

function address(target: string): Json {
  return field(isSix(target) ? "ip6" : "ip", "daddr");
}
