/** The rules for one interface of an endpoint, for the config classes and the wire's validators. */

import { quote } from "../common/quote.js";
import { parseCIDR, parseMAC } from "./addresses.js";
import { DriverError } from "./errors.js";
import type { InterfaceData, InterfaceInfo } from "./types.js";

/** An interface as a platform may give it: `{ id: 0, ipv4: "10.1.0.2/24" }`. */
export interface InterfaceRecord {
  readonly id: number;
  readonly mac?: string | null | undefined;
  readonly ipv4?: string | null | undefined;
  readonly ipv6?: string | null | undefined;
}

/** Parses an interface's id: a non-negative safe integer. Throws `ERR_INTERFACE_ID`. */
export function parseInterfaceId(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
  throw new DriverError("ERR_INTERFACE_ID", `${quote(value)} is not an interface id: use 0, 1, 2 …`);
}

/**
 * Parses one interface into canonical form. `mac`, `ipv4` and `ipv6` may each be "", undefined or null for none; an interface with none
 * of them is accepted (libnetwork's own tests add one).
 * Throws `ERR_INTERFACE_ID`, `ERR_BAD_MAC`, `ERR_BAD_ADDRESS`, `ERR_ADDRESS_FAMILY`.
 */
export function parseInterface(id: unknown, mac: unknown, ipv4: unknown, ipv6: unknown): InterfaceData {
  return {
    id: parseInterfaceId(id),
    mac: parseMAC(mac ?? ""),
    ipv4: parseCIDR(ipv4 ?? "", 4),
    ipv6: parseCIDR(ipv6 ?? "", 6),
  };
}

/** Checks that an id is not among `taken`. Throws `ERR_INTERFACE_EXISTS`. */
export function refuseTaken(id: number, taken: { has(id: number): boolean }): void {
  if (!taken.has(id)) return;
  throw new DriverError("ERR_INTERFACE_EXISTS", `interface ${id} exists already; give each interface its own id`);
}

/** Parses an interface in either form that a platform may give. Throws as `parseInterface` does. */
export function readInterface(given: InterfaceInfo | InterfaceRecord): InterfaceData {
  if (typeof given !== "object" || given === null) {
    throw new DriverError("ERR_INTERFACE_ID", `${quote(given)} is not an interface: give { id, mac?, ipv4?, ipv6? }`);
  }
  if (isInterfaceInfo(given)) {
    return parseInterface(given.id(), given.macAddress(), given.address(), given.addressIPv6());
  }
  return parseInterface(given.id, given.mac, given.ipv4, given.ipv6);
}

/** Returns the id of an interface given as a number, as `{ id }` or as an object with `id()`. Throws `ERR_INTERFACE_ID`. */
export function readInterfaceId(given: number | { readonly id: number | (() => number) }): number {
  if (typeof given !== "object" || given === null) return parseInterfaceId(given);
  return parseInterfaceId(typeof given.id === "function" ? given.id() : given.id);
}

/** Returns `given` as an iterable. Throws `ERR_INTERFACE_ID`. */
export function readList<T>(given: Iterable<T>): Iterable<T> {
  if (typeof given === "object" && given !== null && typeof given[Symbol.iterator] === "function") return given;
  throw new DriverError("ERR_INTERFACE_ID", `${quote(given)} is not a list of interfaces: give an array`);
}

function isInterfaceInfo(given: InterfaceInfo | InterfaceRecord): given is InterfaceInfo {
  return typeof given.id === "function";
}
