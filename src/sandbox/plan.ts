/** Plans an attach from what a driver recorded, and checks it before anything is moved. */

import { quote } from "../common/quote.js";
import { CONNECTED } from "../driverapi/constants.js";
import { parseInterfaces, parseJoinData } from "../driverapi/data.js";
import { DriverError } from "../driverapi/errors.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";
import { contains, networkOf } from "../permissions/netlink/cidr.js";
import { LIMITS } from "../protocol/limits.js";

/** One link to be moved. */
export interface PlannedLink {
  readonly id: number;
  readonly srcName: string;
  readonly dstPrefix: string;
  /** "": unchanged. */
  readonly mac: string;
  /** In CIDR form, IPv4 first. */
  readonly addresses: readonly string[];
}

/** A route in the sandbox, through one of the planned links. */
export interface PlannedRoute {
  readonly destination: string;
  readonly via?: string;
  /** The interface's id. */
  readonly id: number;
}

export interface SandboxPlan {
  readonly links: readonly PlannedLink[];
  /** Routes to on-link destinations first: the next hops of the others may be reached through them. */
  readonly routes: readonly PlannedRoute[];
  /** Default routes, at most one per family. */
  readonly gateways: readonly PlannedRoute[];
}

/** Stricter than the kernel: the names become arguments of `ip`. */
const WORD = /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/;

/**
 * Plans how to attach one endpoint. Interfaces without names stay where they are.
 * Throws `ERR_SANDBOX_FAILED` for a route that leaves by no moved link, `ERR_INTERFACE_NAME`, and the errors of
 * `parseInterfaces` and `parseJoinData`.
 */
export function planSandbox(endpoint: unknown, join: unknown): SandboxPlan {
  const interfaces = parseInterfaces(endpoint, LIMITS.interfaces);
  const data = parseJoinData(join, new Set(interfaces.map(({ id }) => id)), LIMITS.routes);
  const links = interfaces.flatMap((one) => plannedLink(one, data) ?? []);
  const connected = data.staticRoutes.filter(({ routeType }) => routeType === CONNECTED);
  const hops = data.staticRoutes.filter(({ routeType }) => routeType !== CONNECTED);
  const near = [
    ...links.flatMap(({ id, addresses }) => addresses.map((text) => ({ id, network: networkOf(text) }))),
    ...connected.map(({ interfaceID: id, destination }) => ({ id, network: networkOf(destination) })),
  ].sort((a, b) => b.network.prefix - a.network.prefix);

  const by = (destination: string, via: string): PlannedRoute => {
    const found = near.find(({ network }) => contains(network, networkOf(via)));
    if (found) return { destination, via, id: found.id };
    throw new DriverError(
      "ERR_SANDBOX_FAILED",
      `the route to ${destination} cannot be set: no address and no CONNECTED route of the endpoint reaches its next hop ${via}`,
    );
  };
  return {
    links,
    routes: [
      ...connected.map(({ destination, interfaceID }): PlannedRoute => {
        if (links.some(({ id }) => id === interfaceID)) return { destination, id: interfaceID };
        throw new DriverError(
          "ERR_SANDBOX_FAILED",
          `the CONNECTED route to ${destination} cannot be set: interface ${interfaceID} was given no names, so no link of it is in the sandbox`,
        );
      }),
      ...hops.map(({ destination, nextHop }) => by(destination, nextHop)),
    ],
    gateways: [
      ...(data.gateway === "" ? [] : [by("0.0.0.0/0", data.gateway)]),
      ...(data.gatewayIPv6 === "" ? [] : [by("::/0", data.gatewayIPv6)]),
    ],
  };
}

function plannedLink({ id, mac, ipv4, ipv6 }: InterfaceData, { names }: JoinData): PlannedLink | undefined {
  const set = names.find((one) => one.id === id);
  if (!set) return undefined;
  const { srcName, dstPrefix } = set;
  const odd = [srcName, dstPrefix].find((one) => !WORD.test(one));
  if (odd !== undefined) {
    throw new DriverError(
      "ERR_INTERFACE_NAME",
      `interface ${id}: ${quote(odd)} cannot be the name of a link that is moved: use letters, digits, _ . @ -`,
    );
  }
  return { id, srcName, dstPrefix, mac, addresses: [ipv4, ipv6].filter((one) => one !== "") };
}

/** Chooses a name per link: the prefix and the lowest free number. */
export function namesFor(links: readonly PlannedLink[], taken: Iterable<string>): readonly string[] {
  const used = new Set(taken);
  return links.map(({ dstPrefix }) => {
    let number = 0;
    while (used.has(`${dstPrefix}${number}`)) number++;
    const name = `${dstPrefix}${number}`;
    if (name.length > 15) {
      throw new DriverError("ERR_INTERFACE_NAME", `${name} is longer than a link's name can be (15 bytes)`);
    }
    used.add(name);
    return name;
  });
}
