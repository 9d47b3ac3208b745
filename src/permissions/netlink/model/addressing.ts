/** The model's addresses and routes, and how up and down change them. */
import ipaddr from "ipaddr.js";
import { contains, networkOf } from "../cidr.js";
import { MTU } from "../rules-mtu.js";
import { KernelRefusal } from "./refusals.js";
import type { ModelLink, ModelNamespace, ModelRoute } from "./world.js";

const EXISTS = "RTNETLINK answers: File exists";

/** Returns the network of an address in CIDR form, as text. */
function networkText(cidr: string): string {
  const { prefix } = networkOf(cidr);
  const kind = cidr.includes(":") ? ipaddr.IPv6 : ipaddr.IPv4;
  const network = kind.networkAddressFromCIDR(cidr);
  return `${network instanceof ipaddr.IPv6 ? network.toRFC5952String() : network.toString()}/${prefix}`;
}

function isSix(text: string): boolean {
  return text.includes(":");
}

function split(cidr: string): { readonly ip: string; readonly prefix: number } {
  const slash = cidr.indexOf("/");
  return { ip: cidr.slice(0, slash), prefix: Number(cidr.slice(slash + 1)) };
}

export function addAddress(link: ModelLink, cidr: string, space: ModelNamespace): void {
  const { ip, prefix } = split(cidr);
  // In IPv4 the same address with another prefix length is another address; in IPv6 it is not.
  const same = link.addresses.some((one) => one.ip === ip && (isSix(ip) || one.prefix === prefix));
  if (same) throw new KernelRefusal(`Error: ${isSix(ip) ? "ipv6: address" : "ipv4: Address"} already assigned.`);
  if (isSix(ip) && link.mtu < MTU.leastIPv6) throw new KernelRefusal("RTNETLINK answers: Invalid argument");
  link.addresses.push({ ip, prefix });
  connect(link, cidr, space);
}

export function deleteAddress(link: ModelLink, cidr: string, space: ModelNamespace): void {
  const { ip, prefix } = split(cidr);
  if (isSix(ip) && link.mtu < MTU.leastIPv6) throw new KernelRefusal("Error: ipv6: IPv6 is disabled on this device.");
  const at = link.addresses.findIndex((one) => one.ip === ip && one.prefix === prefix);
  if (at < 0) throw new KernelRefusal(`Error: ${isSix(ip) ? "ipv6: address" : "ipv4: Address"} not found.`);
  const network = networkText(cidr);
  const inNetwork = (one: { ip: string; prefix: number }): boolean =>
    networkText(`${one.ip}/${one.prefix}`) === network;
  const first = link.addresses.find(inNetwork);
  // Removing an IPv4 network's first address removes the others of that network.
  if (!isSix(ip) && first === link.addresses[at]) link.addresses = link.addresses.filter((one) => !inNetwork(one));
  else link.addresses.splice(at, 1);
  // Without IPv4 addresses a link loses all IPv4 routes.
  if (!isSix(ip) && link.addresses.every((one) => isSix(one.ip))) {
    space.routes = space.routes.filter((one) => one.dev !== link.name || isSix(one.destination));
  }
  if (link.addresses.some(inNetwork)) return;
  space.routes = space.routes.filter((one) => !(one.connected && one.dev === link.name && one.destination === network));
}

export function bringUp(link: ModelLink, space: ModelNamespace): void {
  if (link.up) return;
  refuseTakenMac(link, link.mac);
  link.up = true;
  for (const { ip, prefix } of link.addresses) connect(link, `${ip}/${prefix}`, space);
}

/** Refuses a macvlan that is up with its parent's MAC, or another macvlan's of that parent. */
export function refuseTakenMac(link: ModelLink, mac: string): void {
  if (link.kind !== "macvlan" || link.mode === "passthru" || !link.parent) return;
  const others = [...link.space.links.values()].filter((one) => one !== link && one.parent === link.parent && one.up);
  if ([link.parent, ...others].some((one) => one.mac === mac)) {
    throw new KernelRefusal("RTNETLINK answers: Address already in use");
  }
}

/** A link that goes down loses its routes, and its IPv6 addresses. */
export function takeDown(link: ModelLink, space: ModelNamespace): void {
  if (!link.up) return;
  link.up = false;
  link.addresses = link.addresses.filter(({ ip }) => !isSix(ip));
  space.routes = space.routes.filter(({ dev }) => dev !== link.name);
  space.neighbours = space.neighbours.filter(({ dev }) => dev !== link.name);
}

/** Below IPv6's minimum MTU a link loses its IPv6 addresses and routes. */
export function resize(link: ModelLink, mtu: number): void {
  link.mtu = mtu;
  if (mtu >= MTU.leastIPv6) return;
  link.addresses = link.addresses.filter(({ ip }) => !isSix(ip));
  const { space } = link;
  space.routes = space.routes.filter((one) => one.dev !== link.name || !isSix(one.destination));
  space.neighbours = space.neighbours.filter((one) => one.dev !== link.name || !isSix(one.ip));
}

interface RouteChange {
  readonly destination: string;
  readonly via?: string | undefined;
  readonly dev: string;
}

export function addRoute({ destination, via, dev }: RouteChange, link: ModelLink, space: ModelNamespace): void {
  if (isSix(destination) && link.mtu < MTU.leastIPv6) throw new KernelRefusal("RTNETLINK answers: No such device");
  // The gateway is checked before its device.
  if (via !== undefined && !reaches(link, via, space)) throw new KernelRefusal("Error: Nexthop has invalid gateway.");
  if (!link.up) {
    const six = isSix(destination);
    throw new KernelRefusal(six ? "Error: Nexthop device is not up." : "Error: Device for nexthop is not up.");
  }
  // IPv4 has one route per destination; in IPv6 one that came with an address does not conflict.
  const same = space.routes.some((one) => one.destination === destination && !(isSix(destination) && one.connected));
  if (same) throw new KernelRefusal(EXISTS);
  space.routes.push({ destination, via, dev, connected: false });
}

export function deleteRoute({ destination, via, dev }: RouteChange, space: ModelNamespace): void {
  const matches = (one: ModelRoute): boolean =>
    one.destination === destination && one.dev === dev && (via === undefined || one.via === via);
  const found = space.routes.find((one) => matches(one) && one.connected) ?? space.routes.find(matches);
  if (!found) throw new KernelRefusal("RTNETLINK answers: No such process");
  space.routes = space.routes.filter((one) => one !== found);
}

function reaches(link: ModelLink, ip: string, space: ModelNamespace): boolean {
  const gateway = networkOf(ip);
  return space.routes.some(
    (one) => one.dev === link.name && one.via === undefined && contains(networkOf(one.destination), gateway),
  );
}

/** Returns the route that comes with an address of a link that is up. */
function connect(link: ModelLink, cidr: string, space: ModelNamespace): void {
  const destination = networkText(cidr);
  const there = space.routes.some((one) => one.connected && one.dev === link.name && one.destination === destination);
  // A single IPv4 address brings no route.
  if (!link.up || there || destination.endsWith("/32")) return;
  space.routes.push({ destination, via: undefined, dev: link.name, connected: true });
}
