/**
 * Rules that mark forwarded packets which our networks allow. An accept in one table cannot undo a drop in another, so programs that
 * drop forwarded packets (an engine's firewall, ufw) get one rule that accepts the mark; see `accept-rule.ts`.
 */
import type { Json } from "../../../driverapi/json.js";
import type { FirewallRule } from "../rule.js";
import type { ChainRule } from "./chains.js";
import { from, STATUS, to } from "./expressions.js";

/** The bit of the packet mark that means "a network of Bulkhead allows this". All other bits are left unchanged. */
export const MARK = 0x2000_0000;

/** Value and mask, as iptables and `dockerd --bridge-accept-fwmark` write them. */
export const MARK_TEXT = "0x20000000/0x20000000";

/** Returns the marking rules for every bridge with rules. A packet that matches none of them is left to other programs. */
export function markRules(rules: readonly FirewallRule[], uplinks: readonly string[]): readonly ChainRule[] {
  const internal = new Set(rules.flatMap((rule) => (rule.kind === "isolate" && rule.internal ? [rule.bridge] : [])));
  const bridges = [...new Set(rules.map(({ bridge }) => bridge))];
  return bridges.flatMap((bridge) => {
    // With bridge-nf-call-iptables, frames between two ports of one bridge are forwarded packets as well.
    const within = [from("==", bridge), to("==", bridge)];
    const out = (way: Json): readonly Json[] => [from("==", bridge), way];
    const ways: readonly (readonly Json[])[] = [
      [from("==", bridge), REPLIES],
      [to("==", bridge), REPLIES],
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

const REPLIES: Json = { match: { op: "in", left: { ct: { key: "state" } }, right: ["established", "related"] } };
const PUBLISHED: Json = { match: { op: "in", left: STATUS, right: "dnat" } };
const SET_MARK: Json = {
  mangle: { key: { meta: { key: "mark" } }, value: { "|": [{ meta: { key: "mark" } }, MARK] } },
};
