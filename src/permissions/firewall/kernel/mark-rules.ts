/**
 * Rules that mark forwarded packets which our networks allow. An accept in one table cannot undo a drop in another, so programs that
 * drop forwarded packets (an engine's firewall, ufw) get one rule that accepts the mark; see `accept-rule.ts`.
 */
import type { Json } from "../../../driverapi/json.js";
import { confines, type FirewallRule } from "../rule.js";
import type { ChainRule } from "./chains.js";
import { IS_ROUTED } from "./confine-rules.js";
import { from, fromAny, OPEN, STATUS, to, toAny } from "./expressions.js";

/** The bit of the packet mark that means "a network of Bulkhead allows this". All other bits are left unchanged. */
export const MARK = 0x2000_0000;

/** Value and mask, as iptables and `dockerd --bridge-accept-fwmark` write them. */
export const MARK_TEXT = "0x20000000/0x20000000";

/**
 * Returns rules for packets of open connections between a bridge and links that are not the plugin's. They go before all others of the
 * chain, which would let these packets pass as well, but only after a few rules for each bridge. `prefix`: that of the plugin's bridges.
 */
export function openRules(rules: readonly FirewallRule[], prefix: string): readonly ChainRule[] {
  const [internal, confined] = [internalOf(rules), new Set(rules.filter(confines).map(({ bridge }) => bridge))];
  const bridges = bridgesOf(rules).filter((bridge) => !internal.has(bridge));
  const plain = bridges.filter((bridge) => !confined.has(bridge));
  const closed = bridges.filter((bridge) => confined.has(bridge));
  const siblings = `${prefix}-*`;
  const pass = (...expr: Json[]): ChainRule => ({ chain: "forward", expr: [...expr, SET_MARK, { accept: null }] });
  return [
    ...(bridges.length > 0 ? [pass(OPEN, from("!=", siblings), toAny(bridges))] : []),
    ...(plain.length > 0 ? [pass(OPEN, fromAny("==", plain), to("!=", siblings))] : []),
    ...(closed.length > 0 ? [pass(OPEN, fromAny("==", closed), to("!=", siblings), IS_ROUTED)] : []),
  ];
}

/** Returns the marking rules for every bridge with rules. A packet that matches none of them is left to other programs. */
export function markRules(rules: readonly FirewallRule[], uplinks: readonly string[]): readonly ChainRule[] {
  const internal = internalOf(rules);
  return bridgesOf(rules).flatMap((bridge) => {
    // With bridge-nf-call-iptables, frames between two ports of one bridge are forwarded packets as well.
    const within = [from("==", bridge), to("==", bridge)];
    const out = (way: Json): readonly Json[] => [from("==", bridge), way];
    const ways: readonly (readonly Json[])[] = [
      [from("==", bridge), OPEN],
      [to("==", bridge), OPEN],
      [to("==", bridge), PUBLISHED],
      // Traffic to other programs' bridges is decided by their rules.
      out({ match: { op: "!=", left: { meta: { key: "oifkind" } }, right: "bridge" } }),
      ...uplinks.map((uplink) => out(to("==", uplink))),
    ];
    return [within, ...(internal.has(bridge) ? [] : ways)].map(
      (conditions): ChainRule => ({ chain: "forward", expr: [...conditions, SET_MARK] }),
    );
  });
}

function internalOf(rules: readonly FirewallRule[]): ReadonlySet<string> {
  return new Set(rules.flatMap((rule) => (rule.kind === "isolate" && rule.internal ? [rule.bridge] : [])));
}

function bridgesOf(rules: readonly FirewallRule[]): readonly string[] {
  return [...new Set(rules.map(({ bridge }) => bridge))];
}

const PUBLISHED: Json = { match: { op: "in", left: STATUS, right: "dnat" } };
export const SET_MARK: Json = {
  mangle: { key: { meta: { key: "mark" } }, value: { "|": [{ meta: { key: "mark" } }, MARK] } },
};
