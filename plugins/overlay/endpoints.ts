/** What endpoints may ask for, and the routes that lead out of their sandboxes. */
import { CONNECTED, type EndpointInfo, fail, type JoinInfo, type JsonObject, NEXTHOP, quote } from "bulkhead/plugin";
import { formatCIDR, overlap, parseCIDR } from "bulkhead/plugin/addressing";
import type { Prefix } from "./networks.ts";

const PORT_MAP = "com.docker.network.portmap";

/** Throws BadRequest for published ports. */
export function refusePorts(options: JsonObject): void {
  const ports = options[PORT_MAP];
  if (!Array.isArray(ports) || ports.length === 0) return;
  fail(
    "BadRequest",
    "a network of the type overlay publishes no ports: leave out -p, and connect the container to a bridge network too, which publishes them",
  );
}

/** Throws BadRequest for an address outside this host's prefixes: an engine's address management knows nothing of prefixes. */
export function refuseForeignAddresses(name: string, prefixes: readonly Prefix[], epInfo: EndpointInfo): void {
  for (const one of epInfo.interfaces()) {
    for (const text of [one.address(), one.addressIPv6()]) {
      const address = text === "" ? undefined : parseCIDR(text);
      if (!address) continue;
      const own = prefixes.find(({ family }) => family === address.family);
      const prefix = own && parseCIDR(own.text);
      if (prefix && overlap(prefix, { ...address, prefix: prefix.prefix })) continue;
      fail(
        "BadRequest",
        `address ${text} is not in this host's prefix of network ${quote(name)}, ${own?.text ?? "which has none of that family"}: leave addresses to the driver (--ipam-driver null), or keep the engine to that range (--ip-range)`,
      );
    }
  }
}

/**
 * Returns the destinations that a sandbox reaches on its link (`near`) and by its gateway (`far`). An engine that assigns addresses gives
 * them the whole subnet's mask: routes to the subnet's halves, which are more specific, then lead to the gateway, and the prefix's to the link.
 */
function routesOf(
  { text, network }: Pick<Prefix, "text" | "network">,
  mask: number,
  internal: boolean,
): { readonly near: readonly string[]; readonly far: readonly string[] } {
  const [prefix, subnet] = [parseCIDR(text), parseCIDR(network)];
  if (!prefix || !subnet || prefix.prefix <= subnet.prefix) return { near: [], far: [] };
  if (mask >= prefix.prefix) return { near: [], far: internal ? [network] : [] };
  const half = subnet.prefix + 1;
  const upper = subnet.bits + (1n << BigInt((subnet.family === 4 ? 32 : 128) - half));
  const halves = [subnet.bits, upper].map((bits) => formatCIDR({ family: subnet.family, bits, prefix: half }));
  // A prefix that is one of the halves is reached on the link.
  return { near: [text], far: halves.filter((one) => one !== text) };
}

/** Sets a sandbox's routes by the gateway, even if an engine has given the container the mask of the whole subnet. */
export function lead(
  joinInfo: JoinInfo,
  id: number,
  prefix: Prefix,
  mask: number,
  gateway: string,
  internal: boolean,
): void {
  const { near, far } = routesOf(prefix, mask, internal);
  for (const destination of near) joinInfo.addStaticRoute(destination, CONNECTED, "", id);
  for (const destination of far) joinInfo.addStaticRoute(destination, NEXTHOP, gateway, id);
  if (internal) return;
  if (prefix.family === 4) joinInfo.setGateway(gateway);
  else joinInfo.setGatewayIPv6(gateway);
}
