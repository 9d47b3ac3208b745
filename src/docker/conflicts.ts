/** Endpoints that hold what a new one is to have: an address, or a port of the host's. Only these are looked at. */
import ipaddr from "ipaddr.js";
import type { InterfaceData } from "../driverapi/types.js";
import type { EndpointRecord } from "../host/calls/records.js";
import type { PublishedPort, TypeView } from "../host/type-view.js";
import type { WantedPort } from "./port-map.js";

/** An endpoint, and what of the wanted it holds. */
export interface Holder {
  readonly nid: string;
  readonly endpoint: EndpointRecord;
  /** An address, plain; of a port's holder the one it is published for. */
  readonly ip: string;
}

/** The endpoints that have one of the addresses (CIDR form), on any network of the type. */
export function holdersOfAddresses(view: TypeView, cidrs: readonly string[]): readonly Holder[] {
  const wanted = new Set(cidrs.filter((one) => one !== "").map(plainAddress));
  return wanted.size === 0 ? [] : holders(view, wanted);
}

/** The endpoints that one of the published ports leads to. */
export function holdersOfPorts(view: TypeView, ports: readonly PublishedPort[]): readonly Holder[] {
  const ips = new Set(ports.filter(({ plugin }) => plugin === view.plugin).map(({ ip }) => plainAddress(ip)));
  return ips.size === 0 ? [] : holders(view, ips);
}

/** The published ports that one of the wanted could not be had beside. */
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

/** The addresses of interfaces, plain. */
export function addressesOf(interfaces: readonly InterfaceData[]): readonly string[] {
  return interfaces.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((one) => one !== "").map(plainAddress));
}

function holders(view: TypeView, ips: ReadonlySet<string>): readonly Holder[] {
  const found: Holder[] = [];
  for (const { nid, endpoints } of view.networks()) {
    for (const endpoint of endpoints.values()) {
      const ip = addressesOf(endpoint.interfaces).find((one) => ips.has(one));
      if (ip !== undefined) found.push({ nid, endpoint, ip });
    }
  }
  return found;
}

/** Without its prefix, in one spelling. */
export function plainAddress(cidr: string): string {
  const [plain = ""] = cidr.split("/", 1);
  return ipaddr.isValid(plain) ? ipaddr.parse(plain).toString() : plain;
}
