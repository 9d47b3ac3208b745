/**
 * The rules of firewall requests, each against an attack that would work without it (README.md here), checked in this order when a
 * request is about to be carried out, against a new snapshot of the namespace. `request.ts` enforces `fields` and `shape` before.
 */

import { quote } from "../../common/quote.js";
import { parseDestination, parseIP } from "../../driverapi/addresses.js";
import { contains, networkOf, specialRange } from "../netlink/cidr.js";
import { applyRules } from "../rule.js";
import { isTimed } from "./allowed.js";
import { allocated, notOfHost, refused } from "./errors.js";
import { isLoopback } from "./holder/messages.js";
import { FIREWALL } from "./limits.js";
import { inRanges } from "./ports.js";
import type { FirewallRequest } from "./request.js";
import { confines, type FirewallRule, keyOf, PROTOCOLS, type PublishSpec, samePort, sameRule } from "./rule.js";
import type { Rule, Situation } from "./situation.js";

/** Returns a check that applies to published ports only. */
const ofPublished =
  (check: (rule: PublishSpec, situation: Situation) => string | undefined): Rule["check"] =>
  (rule, situation) =>
    rule.kind === "publish" ? check(rule, situation) : undefined;

/** Every rule. */
export const RULES: readonly Rule[] = [
  { id: "fields", refuses: "fields that do not exist: device, mark, table, priority …", check: () => undefined },
  { id: "shape", refuses: "a field that is missing or of the wrong type", check: () => undefined },
  {
    id: "bridge",
    refuses: "bridges that are not the plugin's own, and links that are not a bridge",
    check({ bridge }, { plugin, links, owner }) {
      if (owner(bridge) !== plugin) return `${quote(bridge)} is not a link of plugin "${plugin}"`;
      const kind = links.get(bridge)?.kind;
      return kind === "bridge" ? undefined : `${quote(bridge)} is a ${kind ?? "link in a sandbox"}, not a bridge`;
    },
  },
  {
    id: "address",
    refuses: "addresses and subnets that do not parse",
    check(rule) {
      if (rule.kind === "masquerade") return problem(parseDestination, rule.subnet);
      if (rule.kind === "connect")
        return problem(parseDestination, rule.subnet) ?? problem(parseDestination, rule.network);
      if (rule.kind === "resolve") return problem(parseIP, rule.ip);
      if (rule.kind === "allow") return problem(rule.to.includes("/") ? parseDestination : parseIP, rule.to);
      if (rule.kind !== "publish") return undefined;
      return problem(parseIP, rule.ip) ?? (rule.hostIP === undefined ? undefined : problem(parseIP, rule.hostIP));
    },
  },
  {
    id: "special",
    refuses:
      "link-local, multicast, 0.0.0.0/8, ::/8 and the like on either side and as what is allowed, and loopback but on the host's side",
    check(rule) {
      const outer = rule.kind === "publish" && !isLoopback(rule.hostIP) ? rule.hostIP : undefined;
      const target = rule.kind === "allow" ? rule.to : undefined;
      const texts = [inner(rule), outer, target, whole(rule)];
      for (const text of texts) {
        const special = text === undefined ? undefined : specialRange(networkOf(text));
        if (special !== undefined) return `${quote(text)} lies in ${special}`;
      }
      return undefined;
    },
  },
  {
    id: "subnet",
    refuses: "subnets and addresses outside the netlink grant's subnets",
    check(rule, { subnets }) {
      const text = [inner(rule), whole(rule)].find(
        (one) => one !== undefined && !subnets.some((granted) => contains(networkOf(granted), networkOf(one))),
      );
      if (text === undefined) return undefined;
      return `${quote(text)} is not within ${subnets.join(", ") || "any subnet: the plugin has no netlink grant"}`;
    },
  },
  {
    id: "network",
    refuses:
      "subnets and addresses that are in no network of the bridge's own addresses, and those addresses themselves",
    check(rule, { links }) {
      const text = inner(rule);
      if (text === undefined) return undefined;
      const addresses = links.get(rule.bridge)?.addresses ?? [];
      if (addresses.some(({ ip }) => ip === text)) return `${quote(text)} is the bridge's own address`;
      const within = addresses.some(({ ip, prefix }) => contains(networkOf(`${ip}/${prefix}`), networkOf(text)));
      return within ? undefined : `${quote(text)} is in no network of ${quote(rule.bridge)}'s addresses`;
    },
  },
  {
    id: "tunnel",
    refuses: "tunnels that are not a vxlan of the plugin's own, and a network that does not hold the bridge's subnet",
    check(rule, { plugin, links, owner }) {
      if (rule.kind !== "connect") return undefined;
      const { tunnel, subnet, network } = rule;
      if (owner(tunnel) !== plugin) return `${quote(tunnel)} is not a link of plugin "${plugin}"`;
      const kind = links.get(tunnel)?.kind;
      if (kind !== "vxlan") return `${quote(tunnel)} is a ${kind ?? "link in a sandbox"}, not a vxlan`;
      return contains(networkOf(network), networkOf(subnet)) ? undefined : `${quote(network)} does not hold ${subnet}`;
    },
  },
  {
    id: "gateway",
    refuses: "names resolved at an address that is not the bridge's own",
    check(rule, { links }) {
      if (rule.kind !== "resolve") return undefined;
      const addresses = links.get(rule.bridge)?.addresses ?? [];
      const has = addresses.some(({ ip }) => ip === rule.ip);
      return has ? undefined : `${quote(rule.ip)} is not an address of ${quote(rule.bridge)}`;
    },
  },
  {
    id: "outgoing",
    refuses: 'words for outgoing traffic other than "allowed", and an internal bridge that may reach what is allowed',
    check(rule) {
      if (rule.kind !== "isolate" || rule.outgoing === undefined) return undefined;
      if (rule.outgoing !== "allowed") return `outgoing can be "allowed", and not ${quote(rule.outgoing)}`;
      return rule.internal
        ? 'outgoing "allowed" is not for an internal bridge, from which nothing goes out'
        : undefined;
    },
  },
  {
    id: "protocol",
    refuses: "protocols other than tcp, udp and sctp",
    check(rule) {
      if (!("protocol" in rule) || PROTOCOLS.includes(rule.protocol)) return undefined;
      return `${quote(rule.protocol)} is not a protocol; use one of ${PROTOCOLS.join(", ")}`;
    },
  },
  {
    id: "port",
    refuses:
      "numbers that are not ports, ranges of ports that end before they begin, and ports of the host outside the granted ranges",
    check(rule, { limits: { ports } }) {
      if (!("port" in rule)) return undefined;
      const last = rule.kind === "allow" ? (rule.lastPort ?? rule.port) : rule.port;
      for (const port of [rule.port, last]) if (port < 1 || port > 65_535) return `${port} is not a port`;
      if (last < rule.port) return `${rule.port}-${last} is not a range of ports`;
      if (rule.kind !== "publish" || inRanges(ports, rule.hostPort)) return undefined;
      return `port ${rule.hostPort} is not within ${ports.join(", ")}`;
    },
  },
  {
    id: "time",
    refuses: "times to live out of bounds, or for a network, a range of ports or a bridge that is not confined",
    check(rule, { plugin, rows }) {
      if (rule.kind !== "allow" || rule.seconds === undefined) return undefined;
      const { seconds, bridge, to, port, lastPort = port } = rule;
      if (seconds < 1 || seconds > FIREWALL.allowedSeconds)
        return `${seconds} seconds are not from 1 to ${FIREWALL.allowedSeconds}`;
      if (to.includes("/") || lastPort !== port) return "a time to live is for one address and one port";
      const isConfined = rows.some((row) => row.plugin === plugin && row.rule.bridge === bridge && confines(row.rule));
      return isConfined ? undefined : `${quote(bridge)} is not isolated with outgoing "allowed"`;
    },
  },
  {
    id: "host-address",
    refuses: "addresses that the host does not have, of another family, or of another plugin's link",
    check: ofPublished(({ hostIP, ip }, { plugin, links, owner }) => {
      if (hostIP === undefined) return undefined;
      if (hostIP.includes(":") !== ip.includes(":")) return `${quote(hostIP)} and ${quote(ip)} are of two families`;
      if (isLoopback(hostIP)) return undefined;
      const has = [...links.values()].find(({ addresses }) => addresses.some((one) => one.ip === hostIP));
      if (!has) return notOfHost(hostIP);
      const other = owner(has.name);
      return other === undefined || other === plugin ? undefined : `${quote(hostIP)} is on a link of another plugin`;
    }),
  },
  {
    id: "taken",
    refuses: "ports that something else is published on, by whichever plugin, and other rules in a rule's place",
    check(rule, { plugin, rows }) {
      if (isTimed(rule)) return undefined;
      const stands = rows.find((row) => row.plugin === plugin && keyOf(row.rule) === keyOf(rule));
      if (stands && !sameRule(stands.rule, rule))
        return stands.rule.kind === "publish"
          ? allocated(stands.rule, `${stands.rule.ip} port ${stands.rule.port}`)
          : `${keyOf(rule)} is there already, with other settings`;
      if (stands || rule.kind !== "publish") return undefined;
      const other = rows.find(
        (row) => row.rule.kind === "publish" && (row.plugin === plugin ? samePort : sameLocalPort)(row.rule, rule),
      );
      if (!other) return undefined;
      if (other.rule.kind !== "publish") return undefined;
      const whose = other.plugin === plugin ? "" : " by another plugin";
      return allocated(rule, `${other.rule.ip} port ${other.rule.port}${whose}`);
    },
  },
  {
    id: "listener",
    refuses: "ports that a process of the host's has",
    // Anything but binding the port would be a TOCTOU race: `FirewallBackend.hold` binds it, after all these checks.
    check: () => undefined,
  },
  {
    id: "max",
    refuses: "more rules than granted",
    check(rule, { plugin, rows, limits: { max } }) {
      const own = rows.filter((row) => row.plugin === plugin);
      if (own.length < max || isTimed(rule) || own.some((row) => sameRule(row.rule, rule))) return undefined;
      return `the plugin has ${own.length} rules, and is granted ${max}`;
    },
  },
];

/** Throws `ERR_FIREWALL_REFUSED`, naming the first rule that refuses. */
export function checkRules(request: Extract<FirewallRequest, { readonly rule: unknown }>, situation: Situation): void {
  applyRules(RULES, [request.rule, situation], (rule, why) => refused(situation.plugin, request.op, rule, why));
}

/** Returns the address or network on the bridge's side. */
function inner(rule: FirewallRule): string | undefined {
  if (rule.kind === "masquerade" || rule.kind === "connect") return rule.subnet;
  return rule.kind === "publish" ? rule.ip : undefined;
}

/** Returns the network that reaches beyond the bridge. */
function whole(rule: FirewallRule): string | undefined {
  return rule.kind === "connect" ? rule.network : undefined;
}

function problem(parse: (value: unknown) => string, text: string): string | undefined {
  try {
    return parse(text) === "" ? "an address is asked for, not an empty string" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : `${quote(text)} does not parse`;
  }
}

/** True if two plugins' ports conflict: on the host itself, a port of one family may also be served for the other. */
function sameLocalPort(a: PublishSpec, b: PublishSpec): boolean {
  if (samePort(a, b)) return true;
  const local = ({ hostIP }: PublishSpec): boolean => hostIP === undefined || isLoopback(hostIP);
  return a.protocol === b.protocol && a.hostPort === b.hostPort && local(a) && local(b);
}
