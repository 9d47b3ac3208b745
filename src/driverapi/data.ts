/**
 * Rebuilds hostile data from the wire or the journal as canonical data, by the rules of the config classes. Called for every reply, so
 * without a schema. A wrong address or name throws that rule's code, a wrong shape or count `ERR_DRIVER_REPLY`; the message says where
 * (`interfaces[2]: …`). Unknown fields are dropped.
 */

import { quote } from "../common/quote.js";
import { parseIP } from "./addresses.js";
import { DriverError } from "./errors.js";
import { parseInterface, refuseTaken } from "./interfaces.js";
import { parseNames, parseRoute } from "./joins.js";
import type { InterfaceData, InterfaceNamesData, JoinData, StaticRouteData } from "./types.js";

type Row = Readonly<Record<string, unknown>>;

/** Reads the interfaces that a driver added to an endpoint: at most `max`, with distinct ids. */
export function parseInterfaces(value: unknown, max: number): InterfaceData[] {
  const ids = new Set<number>();
  return parseRows(value, "interfaces", max, (row) => {
    const data = parseInterface(row.id, row.mac, row.ipv4, row.ipv6);
    refuseTaken(data.id, ids);
    ids.add(data.id);
    return data;
  });
}

/**
 * Reads what a driver recorded in a join of an endpoint with the interfaces `interfaceIds`: names for some of them, gateways,
 * at most `max` static routes. Absent lists are empty, absent gateways "".
 */
export function parseJoinData(value: unknown, interfaceIds: ReadonlySet<number>, max: number): JoinData {
  const join = asRow(value, "the join's result");
  return {
    names: parseNameRows(join.names ?? [], interfaceIds),
    gateway: located("gateway", () => parseIP(join.gateway ?? "", 4)),
    gatewayIPv6: located("gatewayIPv6", () => parseIP(join.gatewayIPv6 ?? "", 6)),
    staticRoutes: parseRows(
      join.staticRoutes ?? [],
      "staticRoutes",
      max,
      (row): StaticRouteData => parseRoute(row.destination, row.routeType, row.nextHop, row.interfaceID, interfaceIds),
    ),
  };
}

function parseNameRows(value: unknown, interfaceIds: ReadonlySet<number>): InterfaceNamesData[] {
  const named = new Set<number>();
  return parseRows(value, "names", interfaceIds.size, (row) => {
    const names = parseNames(row.id, row.srcName, row.dstPrefix);
    if (!interfaceIds.has(names.id)) {
      throw new DriverError("ERR_INTERFACE_ID", `interface ${names.id} does not belong to the endpoint`);
    }
    refuseTaken(names.id, named);
    named.add(names.id);
    return names;
  });
}

function parseRows<T>(value: unknown, what: string, max: number, parse: (row: Row) => T): T[] {
  if (!Array.isArray(value)) throw wrong(`${what} is ${quote(value)}, and must be a list`);
  if (value.length > max) throw wrong(`${what} has ${value.length} entries, and may have ${max}`);
  const rows: T[] = [];
  for (let i = 0; i < value.length; i++) {
    const row: unknown = value[i];
    // Not through `located`, to create no closure or path unless something is wrong.
    try {
      rows.push(parse(asRow(row, "it")));
    } catch (error) {
      throw at(`${what}[${i}]`, error);
    }
  }
  return rows;
}

function asRow(value: unknown, what: string): Row {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  throw wrong(`${what} is ${Array.isArray(value) ? "a list" : quote(value)}, and must be an object`);
}

function located<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw at(where, error);
  }
}

function at(where: string, error: unknown): unknown {
  return error instanceof DriverError ? new DriverError(error.code, `${where}: ${error.message}`) : error;
}

function wrong(message: string): DriverError {
  return new DriverError("ERR_DRIVER_REPLY", message);
}
