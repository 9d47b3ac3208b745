/** The rules for what a join may set, names and static routes, for `JoinConfig` and the wire's validators. */

import { quote } from "../common/quote.js";
import { familyOf, parseDestination, parseIP } from "./addresses.js";
import { CONNECTED, NEXTHOP } from "./constants.js";
import { DriverError } from "./errors.js";
import { parseInterfaceId } from "./interfaces.js";
import { parseInterfaceName, parseInterfacePrefix } from "./names.js";
import type { InterfaceNamesData, StaticRouteData } from "./types.js";

/** The ids of the interfaces of one join. */
export interface InterfaceIds {
  has(id: number): boolean;
  readonly size: number;
}

/** Parses the names of one interface. Throws `ERR_INTERFACE_ID`, `ERR_INTERFACE_NAME`. */
export function parseNames(id: unknown, srcName: unknown, dstPrefix: unknown): InterfaceNamesData {
  return { id: parseInterfaceId(id), srcName: parseInterfaceName(srcName), dstPrefix: parseInterfacePrefix(dstPrefix) };
}

/**
 * Parses one static route into canonical form. A CONNECTED route is bound to one of `interfaces` and has no next hop; a NEXTHOP route
 * has one of its destination's family and is bound to no interface: its id is kept, and need not exist (libnetwork's
 * rule).
 * A next hop may be "", undefined or null for none; so may a NEXTHOP route's id, which is then 0.
 * Throws `ERR_BAD_ADDRESS`, `ERR_ROUTE_HOST_BITS`, `ERR_ROUTE_TYPE`, `ERR_ROUTE_INTERFACE`, `ERR_ROUTE_NEXTHOP`,
 * `ERR_ADDRESS_FAMILY`, `ERR_INTERFACE_ID`.
 */
export function parseRoute(
  destination: unknown,
  routeType: unknown,
  nextHop: unknown,
  interfaceID: unknown,
  interfaces: InterfaceIds,
): StaticRouteData {
  const to = parseDestination(destination);
  const hop = parseIP(nextHop ?? "");
  if (routeType === CONNECTED) return connected(to, hop, parseInterfaceId(interfaceID), interfaces);
  if (routeType === NEXTHOP) return viaNextHop(to, hop, parseInterfaceId(interfaceID ?? 0));
  throw new DriverError(
    "ERR_ROUTE_TYPE",
    `${quote(routeType)} is not a type for the route to ${to}: use NEXTHOP (${NEXTHOP}) or CONNECTED (${CONNECTED})`,
  );
}

function connected(to: string, hop: string, id: number, interfaces: InterfaceIds): StaticRouteData {
  if (hop !== "") {
    const text = `the CONNECTED route to ${to} names the next hop ${hop}: leave it out, or use NEXTHOP (${NEXTHOP})`;
    throw new DriverError("ERR_ROUTE_NEXTHOP", text);
  }
  if (!interfaces.has(id)) {
    const there = interfaces.size === 0 ? "the endpoint has no interfaces" : "name one of the endpoint's interfaces";
    throw new DriverError("ERR_ROUTE_INTERFACE", `the CONNECTED route to ${to} names interface ${id}: ${there}`);
  }
  return { destination: to, routeType: CONNECTED, nextHop: "", interfaceID: id };
}

function viaNextHop(to: string, hop: string, id: number): StaticRouteData {
  if (hop === "") {
    const text = `the NEXTHOP route to ${to} names no next hop: give one, or use CONNECTED (${CONNECTED})`;
    throw new DriverError("ERR_ROUTE_NEXTHOP", text);
  }
  if (familyOf(hop) !== familyOf(to)) {
    const text = `the route to ${to} names the next hop ${hop}: both must be IPv4, or both IPv6`;
    throw new DriverError("ERR_ADDRESS_FAMILY", text);
  }
  return { destination: to, routeType: NEXTHOP, nextHop: hop, interfaceID: id };
}
