/** Plans an attach from what a driver recorded, and checks it before anything is moved. */

import { quote } from "../common/quote.js";
import { CONNECTED } from "../driverapi/constants.js";
import { parseInterfaces, parseJoinData } from "../driverapi/data.js";
import { DriverError } from "../driverapi/errors.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";
import { contains, networkOf } from "../permissions/netlink/cidr.js";
import { LIMITS } from "../protocol/limits.js";
import type { SandboxRoute } from "./sandbox.js";

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
  /** The exact name of the first link; undefined: by its prefix, as the others. */
  readonly name: string | undefined;
}

/** What a platform asks for besides what the driver recorded. */
export interface SandboxWishes {
  readonly name?: string | undefined;
  readonly routes?: readonly SandboxRoute[] | undefined;
  readonly defaultRoute?: boolean | undefined;
}

/** Stricter than the kernel: the names become arguments of `ip`. */
const WORD = /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/;

/**
 * Plans how to attach one endpoint. Interfaces without names stay where they are.
 * Throws `ERR_SANDBOX_FAILED` for a route that leaves by no moved link, `ERR_INTERFACE_NAME`, and the errors of
 * `parseInterfaces` and `parseJoinData`.
 */
export function planSandbox(
  endpoint: unknown,
  join: unknown,
  { name, routes = [], defaultRoute = true }: SandboxWishes = {},
): SandboxPlan {
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
      ...routes
        .filter(({ destination }) => !isDefault(destination))
        .map(({ destination, via }) => by(destination, via)),
    ],
    gateways: [...defaultRoutes(data, defaultRoute), ...routes]
      .filter(({ destination }) => isDefault(destination))
      // The platform's own come last and win.
      .filter(({ destination }, at, all) => all.findLastIndex((one) => one.destination === destination) === at)
      .map(({ destination, via }) => by(destination, via)),
    name: name === undefined ? undefined : parseLinkName(name),
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

function isDefault(destination: string): boolean {
  return destination === "0.0.0.0/0" || destination === "::/0";
}

function defaultRoutes({ gateway, gatewayIPv6 }: JoinData, wanted: boolean): readonly SandboxRoute[] {
  if (!wanted) return [];
  return [
    ...(gateway === "" ? [] : [{ destination: "0.0.0.0/0", via: gateway }]),
    ...(gatewayIPv6 === "" ? [] : [{ destination: "::/0", via: gatewayIPv6 }]),
  ];
}

/** Checks the name that a platform wants for a link: at most 15 bytes of letters, digits, _ . @ -, and none of the kernel's own names. */
export function parseLinkName(name: unknown): string {
  if (typeof name === "string" && WORD.test(name) && name.length <= LINK_BYTES && !KERNELS.includes(name)) return name;
  throw new DriverError(
    "ERR_INTERFACE_NAME",
    `${quote(name)} cannot be the name of a link in a sandbox: use letters, digits, _ . @ -, at most ${LINK_BYTES}, and neither of ${KERNELS.join(", ")}`,
  );
}

/** Longest name of a link, in bytes. */
const LINK_BYTES = 15;
/** The loopback link, and folders of `/proc/sys/net` beside those of links. */
const KERNELS: readonly string[] = ["lo", "all", "default"];

/** Chooses a name per link: the one asked for, or the prefix and the lowest free number. Throws `ERR_INTERFACE_NAME`. */
export function namesFor(links: readonly PlannedLink[], taken: Iterable<string>, first?: string): readonly string[] {
  const used = new Set(taken);
  return links.map(({ dstPrefix }, at) => {
    if (at === 0 && first !== undefined) {
      if (used.has(first))
        throw new DriverError("ERR_INTERFACE_NAME", `the sandbox has a link of the name ${first} already`);
      used.add(first);
      return first;
    }
    let number = 0;
    while (used.has(`${dstPrefix}${number}`)) number++;
    const name = `${dstPrefix}${number}`;
    if (name.length > LINK_BYTES) {
      throw new DriverError("ERR_INTERFACE_NAME", `${name} is longer than a link's name can be (${LINK_BYTES} bytes)`);
    }
    used.add(name);
    return name;
  });
}
