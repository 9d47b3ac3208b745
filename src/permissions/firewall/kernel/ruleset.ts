/** Turns rules into nftables' JSON: one transaction that replaces whole tables. libnftables-json(5). */
import type { Json } from "../../../driverapi/json.js";
import type { FirewallTable } from "../backend.js";
import { isLoopback } from "../holder/messages.js";
import type { FirewallRule, HostPort } from "../rule.js";
import { CHAINS, type ChainRule, CONFINING_CHAINS, TUNNEL_CHAINS } from "./chains.js";
import { allowedSets, confined, confineRules, resolveRules } from "./confine-rules.js";
import { connectRules, tunnelsOf } from "./connect-rules.js";
import { equal, field, from, LOCAL, loopbackOf, notLoopback, STATUS, source, to } from "./expressions.js";
import { markRules, openRules } from "./mark-rules.js";
import { refusedSets } from "./refused-flows.js";

/** Returns the whole transaction, for `nft -j -f -`. */
export function transaction(put: readonly FirewallTable[], drop: readonly string[]): Json {
  const removal = (name: string): readonly Json[] => {
    const table = { family: "inet", name };
    // Added first, since a table that does not exist cannot be deleted.
    return [{ add: { table } }, { delete: { table } }];
  };
  return {
    nftables: [...drop.flatMap(removal), ...put.flatMap((table) => [...removal(table.name), ...whole(table)])],
  };
}

function whole({ name, prefix, rules, uplinks, allowed }: FirewallTable): readonly Json[] {
  const family = "inet";
  const confining = confined(rules).length > 0;
  const tunnelling = tunnelsOf(rules).length > 0;
  const chains = [...(confining ? CONFINING_CHAINS : tunnelling ? TUNNEL_CHAINS : []), ...CHAINS];
  // Drops come before marks, since other programs' filters accept what is marked.
  const all = [
    ...openRules(rules, prefix),
    ...confineRules(rules),
    ...connectRules(rules),
    ...rules.flatMap((rule) => chainRules(rule, prefix)),
    ...markRules(rules, uplinks),
  ];
  return [
    { add: { table: { family, name } } },
    ...(confining ? [...allowedSets(name, allowed), ...refusedSets(name)] : []),
    ...chains.map((chain): Json => ({ add: { chain: { family, table: name, ...chain, policy: "accept" } } })),
    ...all.map(({ chain, expr }): Json => ({ add: { rule: { family, table: name, chain, expr: [...expr] } } })),
  ];
}

/** Returns the rules that lead what the host sends over loopback to the port at which the holder serves a port of the platform's. */
function asideRules({ protocol, hostIP, hostPort, aside }: HostPort): readonly ChainRule[] {
  if (aside === undefined || (hostIP !== undefined && !isLoopback(hostIP))) return [];
  const families = hostIP === undefined ? [false, true] : [hostIP.includes(":")];
  return families.map((six): ChainRule => {
    const daddr = field(six ? "ip6" : "ip", "daddr");
    const at = hostIP === undefined ? equal(daddr, loopbackOf(six)) : equal(daddr, hostIP);
    return { chain: "output", expr: [at, equal(field(protocol, "dport"), hostPort), { redirect: { port: aside } }] };
  });
}

/** Returns the nftables rules for one of ours. `prefix`: that of all the plugin's bridges. */
function chainRules(rule: FirewallRule & Pick<HostPort, "aside">, prefix: string): readonly ChainRule[] {
  switch (rule.kind) {
    case "masquerade": {
      const from = source(rule.subnet);
      const masquerade = { masquerade: null };
      return [
        { chain: "postrouting", expr: [from, to("!=", rule.bridge), masquerade] },
        // A neighbour on the bridge that used the host's port must get its reply through the host too.
        {
          chain: "postrouting",
          expr: [from, to("==", rule.bridge), { match: { op: "in", left: STATUS, right: "dnat" } }, masquerade],
        },
      ];
    }
    case "publish": {
      // Only the port holder serves loopback: rewritten packets must not leave or enter it.
      if (isLoopback(rule.hostIP)) return asideRules(rule);
      const six = rule.ip.includes(":");
      const family = six ? "ip6" : "ip";
      const at: readonly Json[] =
        rule.hostIP === undefined
          ? [equal({ meta: { key: "nfproto" } }, six ? "ipv6" : "ipv4"), LOCAL, notLoopback(six)]
          : [equal(field(family, "daddr"), rule.hostIP), LOCAL];
      const expr: readonly Json[] = [
        ...at,
        equal(field(rule.protocol, "dport"), rule.hostPort),
        { dnat: { family, addr: rule.ip, port: rule.port } },
      ];
      return [
        { chain: "prerouting", expr },
        // Packets that the host itself sends do not pass prerouting.
        { chain: "output", expr },
        ...asideRules(rule),
      ];
    }
    case "allow":
    case "connect":
      // Without confinement everything is allowed; `confineRules` and `connectRules` have these rules.
      return [];
    case "resolve":
      return resolveRules(rule.bridge, rule.ip);
    case "isolate": {
      const { bridge, internal = false } = rule;
      const drop = { drop: null };
      if (internal) {
        return [
          { chain: "forward", expr: [from("==", bridge), to("!=", bridge), drop] },
          { chain: "forward", expr: [from("!=", bridge), to("==", bridge), drop] },
        ];
      }
      const siblings = `${prefix}-*`;
      return [
        { chain: "forward", expr: [from("==", bridge), to("!=", bridge), to("==", siblings), drop] },
        { chain: "forward", expr: [from("!=", bridge), from("==", siblings), to("==", bridge), drop] },
        // From outside: only replies, and connections to published ports.
        {
          chain: "forward",
          expr: [
            from("!=", bridge),
            to("==", bridge),
            { match: { op: "in", left: { ct: { key: "state" } }, right: ["new", "invalid", "untracked"] } },
            equal({ "&": [STATUS, "dnat"] }, 0),
            drop,
          ],
        },
      ];
    }
  }
}
