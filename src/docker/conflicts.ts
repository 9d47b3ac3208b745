/** Finds endpoints that hold an address or a host port of a new one. */
import ipaddr from "ipaddr.js";
import { isIPv4 } from "../driverapi/addresses.js";
import type { InterfaceData } from "../driverapi/types.js";
import type { EndpointRecord } from "../host/calls/record.js";
import type { PublishedPort, TypeView } from "../host/type-view.js";
import type { WantedPort } from "./port-map.js";

/** An endpoint, and the address it holds. */
export interface Holder {
  readonly nid: string;
  readonly endpoint: EndpointRecord;
  /** Without a prefix length; for a port, the address it is published for. */
  readonly ip: string;
}

/** Returns the endpoints that have one of the addresses (CIDR form), on any network of the type. */
export function holdersOfAddresses(view: TypeView, cidrs: readonly string[]): readonly Holder[] {
  const wanted = cidrs.filter((one) => one !== "").map(plainAddress);
  return wanted.length === 0 ? [] : holders(view, wanted);
}

/** Returns the endpoints that the published ports lead to. */
export function holdersOfPorts(view: TypeView, ports: readonly PublishedPort[]): readonly Holder[] {
  const ips = ports.filter(({ plugin }) => plugin === view.plugin).map(({ ip }) => plainAddress(ip));
  return ips.length === 0 ? [] : holders(view, [...new Set(ips)]);
}

/** Returns the published ports that conflict with a wanted one. */
export function conflictingPorts(
  published: readonly PublishedPort[],
  wanted: readonly WantedPort[],
): readonly PublishedPort[] {
  return published.filter(({ protocol, hostIP = "", hostPort }) =>
    wanted.some(
      (one) =>
        one.protocol === protocol &&
        hostPort >= one.from &&
        hostPort <= one.to &&
        (hostIP === "" || one.hostIP === "" || hostIP === one.hostIP),
    ),
  );
}

/** Returns the addresses of interfaces, without prefix lengths. */
export function addressesOf(interfaces: readonly InterfaceData[]): readonly string[] {
  return interfaces.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((one) => one !== "").map(plainAddress));
}

function holders(view: TypeView, ips: readonly string[]): readonly Holder[] {
  const found: Holder[] = [];
  for (const { nid, endpoints } of view.networks()) {
    for (const endpoint of endpoints.values()) {
      const ip = heldOf(ips, endpoint.interfaces);
      if (ip !== undefined) found.push({ nid, endpoint, ip });
    }
  }
  return found;
}

/** Returns the first address that one of the interfaces has. Allocates nothing: each creation calls it for every endpoint. */
function heldOf(ips: readonly string[], interfaces: readonly InterfaceData[]): string | undefined {
  for (const ip of ips) {
    for (const { ipv4, ipv6 } of interfaces) if (isAt(ipv4, ip) || isAt(ipv6, ip)) return ip;
  }
  return undefined;
}

/** Compares texts: recorded addresses are canonical. */
function isAt(cidr: string, ip: string): boolean {
  return cidr.startsWith(ip) && cidr[ip.length] === "/";
}

/** Removes the prefix length and normalizes the spelling. */
export function plainAddress(cidr: string): string {
  const end = cidr.indexOf("/");
  const plain = end < 0 ? cidr : cidr.slice(0, end);
  // Parsing would return the same text, and takes fifteen times as long.
  if (isIPv4(plain)) return plain;
  return ipaddr.isValid(plain) ? ipaddr.parse(plain).toString() : plain;
}
