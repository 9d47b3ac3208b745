/**
 * Rules for bridges whose network goes on behind a vxlan of the plugin's own. They come before those that keep a plugin's bridges apart,
 * which would drop these packets, and before those that translate sources.
 */
import type { Json } from "../../../driverapi/json.js";
import type { ConnectSpec, FirewallRule } from "../rule.js";
import type { ChainRule } from "./chains.js";
import { from, network, OPEN, source, to } from "./expressions.js";
import { SET_MARK } from "./mark-rules.js";

/** Returns the tunnels that bridges are connected to, sorted. */
export function tunnelsOf(rules: readonly FirewallRule[]): readonly string[] {
  return [...new Set(rules.flatMap((rule) => (rule.kind === "connect" ? [rule.tunnel] : [])))].sort();
}

export function connectRules(rules: readonly FirewallRule[]): readonly ChainRule[] {
  const accept: Json = { accept: null };
  const drop: Json = { drop: null };
  return [
    ...rules.flatMap((rule) => (rule.kind === "connect" ? ways(rule, accept) : [])),
    ...tunnelsOf(rules).flatMap((tunnel): readonly ChainRule[] => [
      { chain: "forward", expr: [from("==", tunnel), drop] },
      { chain: "forward", expr: [to("==", tunnel), drop] },
      { chain: "input", expr: [from("==", tunnel), OPEN, accept] },
      { chain: "input", expr: [from("==", tunnel), drop] },
    ]),
  ];
}

/** A remote host cannot pose as an address outside the network, or as one of this host's own containers. */
function ways({ bridge, tunnel, subnet, network: whole }: ConnectSpec, accept: Json): readonly ChainRule[] {
  return [
    {
      chain: "forward",
      expr: [from("==", bridge), to("==", tunnel), source(subnet), network("daddr", "==", whole), SET_MARK, accept],
    },
    {
      chain: "forward",
      expr: [
        ...[from("==", tunnel), to("==", bridge)],
        ...[network("saddr", "==", whole), network("saddr", "!=", subnet), network("daddr", "==", subnet)],
        ...[SET_MARK, accept],
      ],
    },
    { chain: "postrouting", expr: [to("==", tunnel), source(subnet), accept] },
  ];
}
