/** Podman's networks as drivers know them. */
import type { NetworkSpec, PoolSpec } from "../attachments/attachment.js";
import { DriverError } from "../driverapi/errors.js";
import type { PodmanNetwork, PodmanSubnet } from "./wire.js";

/** Returns the network for a driver. Throws `ERR_CONTROL_REQUEST` for what no driver can have. */
export function networkSpec(network: PodmanNetwork, type: string): NetworkSpec {
  const { id, name, network_interface, subnets, routes, internal, options, ipam_options } = network;
  if (network_interface !== "")
    throw refused(name, "the driver chooses the name of its bridge: leave out --interface-name");
  if (routes.length > 0) throw refused(name, "routes of a network are not supported: leave out --route");
  if (ipam_options.driver === "dhcp")
    throw refused(name, "addresses come from Podman or from the driver: leave out --ipam-driver dhcp");
  for (const six of [false, true])
    if (subnets.filter(({ subnet }) => subnet.includes(":") === six).length > 1)
      throw refused(name, `it has two subnets of IPv${six ? 6 : 4}: use a network for each`);
  return { name: id, type, options, pools: subnets.map(pool), internal };
}

function pool({ subnet, gateway }: PodmanSubnet): PoolSpec {
  return gateway ? { subnet, gateway } : { subnet };
}

function refused(name: string, why: string): DriverError {
  return new DriverError("ERR_CONTROL_REQUEST", `network "${name}": ${why}`);
}
