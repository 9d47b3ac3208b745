/** Adds subnets to a network to which Podman has given none: Podman allocates addresses only from subnets. */
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { TypeView } from "../host/type-view.js";
import { chooseSubnet } from "./choose-subnet.js";
import { knownSubnets } from "./known-networks.js";
import type { PodmanNetwork } from "./wire.js";

const pools = z.array(z.object({ Pool: z.string() }));
/** Options as an engine passes them. */
const recorded = z.object({ "com.docker.network.ipam": z.object({ ipv4: pools, ipv6: pools }) });

/**
 * Returns the fields to add to the network: none with `--ipam-driver none`, since the driver's own pool then gives the addresses, and none
 * without the permission `netlink`, since no subnets are granted then.
 */
export async function withSubnets(
  { id, subnets, ipv6_enabled, ipam_options }: PodmanNetwork,
  { plugin }: TypeView,
  host: OperatorHost,
): Promise<JsonObject> {
  const has = (six: boolean): boolean => subnets.some(({ subnet }) => subnet.includes(":") === six);
  if (ipam_options.driver === "none") return {};
  const families = [...(subnets.length === 0 ? [4 as const] : []), ...(ipv6_enabled && !has(true) ? [6 as const] : [])];
  const granted = host.plugin(plugin).effective?.permissions.netlink?.subnets;
  if (families.length === 0 || granted === undefined) return {};
  const used = [...recordedSubnets(host), ...machineSubnets(), ...(await knownSubnets())];
  const chosen = families.map((family) => ({ subnet: chooseSubnet(family, { id, granted, used }) }));
  return { subnets: [...subnets.map((one) => ({ ...one }) as JsonObject), ...chosen] };
}

/** Returns the pools of the networks that the host has recorded. */
function recordedSubnets(host: OperatorHost): readonly string[] {
  return host.networks().flatMap(({ record: { options } }) => {
    const ipam = recorded.safeParse(JSON.parse(options)).data?.["com.docker.network.ipam"];
    const pools = [...(ipam?.ipv4 ?? []), ...(ipam?.ipv6 ?? [])];
    return pools.map(({ Pool }) => Pool).filter((one) => ipaddr.isValidCIDR(one));
  });
}

function machineSubnets(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => all?.flatMap(({ cidr }) => cidr ?? []) ?? []);
}
