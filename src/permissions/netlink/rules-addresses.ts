/** Rules for addresses and routes: nothing that the machine uses itself, or would then reach through the plugin. */

import { quote } from "../../common/quote.js";
import { parseCIDR, parseDestination, parseIP } from "../../driverapi/addresses.js";
import { contains, type Network, networkOf, overlaps, specialRange } from "./cidr.js";
import { WIDEST, WIDEST_ADDRESS } from "./grant.js";
import type { NetlinkRequest } from "./request.js";
import type { Rule } from "./rule.js";

/** Longest prefix length of a route that counts as a default route or a part of one, instead of a network of the machine. */
export const DEFAULT_LIKE = 4;

export const ADDRESS_RULES: readonly Rule[] = [
  {
    id: "address",
    refuses: "addresses, destinations and gateways that do not parse",
    check(request) {
      for (const text of addressesIn(request)) {
        const wrong = problem(text, "prefixed");
        if (wrong !== undefined) return wrong;
      }
      for (const { destination, via } of routesIn(request)) {
        const wrong = problem(destination, "destination") ?? (via === undefined ? undefined : problem(via, "plain"));
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    },
  },
  {
    id: "default-route",
    refuses: "a default route, or one of the halves that together are one",
    check(request) {
      if (request.op === "deleteRoute") return undefined;
      const wide = routesIn(request).find(({ destination }) => networkOf(destination).prefix < DEFAULT_LIKE);
      return wide === undefined ? undefined : `${quote(wide.destination)} is a default route, or a part of one`;
    },
  },
  {
    id: "width",
    refuses: "networks wider than /8 (IPv6: /32); addresses whose own network is wider than /16 (/48)",
    check(request) {
      return onNetwork(request, ({ family, prefix }, text) => {
        const widest = (request.op === "addAddress" ? WIDEST_ADDRESS : WIDEST)[family];
        return prefix >= widest ? undefined : `${quote(text)} is wider than /${widest}`;
      });
    },
  },
  {
    id: "special",
    refuses: "loopback, link-local, multicast, 0.0.0.0/8, ::/8 and the like",
    check(request) {
      const via = request.op === "addRoute" ? request.route.via : undefined;
      for (const text of [...added(request), ...(via === undefined ? [] : [via])]) {
        const special = specialRange(networkOf(text));
        if (special !== undefined) return `${quote(text)} lies in ${special}`;
      }
      return undefined;
    },
  },
  {
    id: "subnet",
    refuses: "addresses with their network, and destinations, outside the subnets granted",
    check(request, { limits: { subnets } }) {
      return onNetwork(request, (network, text) => {
        if (subnets.some((one) => contains(networkOf(one), network))) return undefined;
        return `${quote(text)} is not within ${subnets.join(", ")}`;
      });
    },
  },
  {
    id: "host-address",
    refuses: "networks that hold an address of the machine or of another plugin's link",
    check(request, { view, own }) {
      return onNetwork(request, (network, text) => {
        for (const link of view.links.values()) {
          if (own(link.name) !== undefined) continue;
          const taken = link.addresses.flatMap(({ ip, peer }) => (peer === undefined ? [ip] : [ip, peer]));
          const hit = taken.find((ip) => contains(network, networkOf(ip)));
          if (hit !== undefined) return `${quote(text)} holds ${hit}, an address that is in use`;
        }
        return undefined;
      });
    },
  },
  {
    id: "host-route",
    refuses: "networks that overlap a route of the machine or of another plugin, or hold a gateway of theirs",
    check(request, { view, own }) {
      return onNetwork(request, (network, text) => {
        for (const { destination, dev, via } of view.routes) {
          if (dev !== undefined && own(dev) !== undefined) continue;
          if (via.some((ip) => contains(network, networkOf(ip))))
            return `${quote(text)} holds a gateway that is in use`;
          const routed = networkOf(destination);
          if (routed.prefix >= DEFAULT_LIKE && overlaps(network, routed)) {
            return `${quote(text)} overlaps ${destination}, which is routed elsewhere`;
          }
        }
        return undefined;
      });
    },
  },
  {
    id: "resolver",
    refuses: "networks that hold one of the machine's name servers",
    check(request, { resolvers }) {
      return onNetwork(request, (network, text) => {
        const hit = resolvers.find((ip) => contains(network, networkOf(ip)));
        return hit === undefined ? undefined : `${quote(text)} holds ${hit}, a name server of the machine`;
      });
    },
  },
  {
    id: "via",
    refuses:
      "a gateway outside the networks of its device's own addresses, or one of the device's own; a remote's outside its network",
    check(request, { view }) {
      if (request.op === "setRemote") {
        const out = request.remote.routes.find((one) => !contains(networkOf(one.destination), networkOf(one.via)));
        return out && `the gateway ${quote(out.via)} is not in ${quote(out.destination)}`;
      }
      if (!("route" in request) || request.route.via === undefined) return undefined;
      const { destination, dev, via } = request.route;
      if (networkOf(via).family !== networkOf(destination).family)
        return `the gateway ${quote(via)} is of the other family`;
      if (request.op === "deleteRoute") return undefined;
      const addresses = view.links.get(dev)?.addresses ?? [];
      if (addresses.some(({ ip }) => ip === via)) return `the gateway ${quote(via)} is ${quote(dev)}'s own address`;
      const near = addresses.some(({ ip, prefix }) => contains(networkOf(`${ip}/${prefix}`), networkOf(via)));
      return near ? undefined : `the gateway ${quote(via)} is in no network of ${quote(dev)}'s addresses`;
    },
  },
];

/** True for an address in canonical form. */
export function isAddress(text: string, form: "plain" | "prefixed" | "destination"): boolean {
  return problem(text, form) === undefined;
}

function problem(text: string, form: "plain" | "prefixed" | "destination"): string | undefined {
  const parse = { plain: parseIP, prefixed: parseCIDR, destination: parseDestination }[form];
  try {
    return parse(text) === "" ? "an address is asked for, not an empty string" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : `${quote(text)} does not parse`;
  }
}

/** Returns the addresses and destinations that a request adds, as given. */
export function added(request: NetlinkRequest): readonly string[] {
  if (request.op === "addAddress" || request.op === "createLink") return addressesIn(request);
  return request.op === "deleteRoute" ? [] : routesIn(request).map(({ destination }) => destination);
}

function addressesIn(request: NetlinkRequest): readonly string[] {
  if ("address" in request) return [request.address];
  return request.op === "createLink" ? (request.first?.addresses ?? []) : [];
}

function routesIn(request: NetlinkRequest): readonly { readonly destination: string; readonly via?: string }[] {
  if (request.op === "setRemote") return request.remote.routes;
  return "route" in request ? [request.route] : [];
}

function onNetwork(
  request: NetlinkRequest,
  check: (network: Network, text: string) => string | undefined,
): string | undefined {
  for (const text of added(request)) {
    const why = check(networkOf(text), text);
    if (why !== undefined) return why;
  }
  return undefined;
}
