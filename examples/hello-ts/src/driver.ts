/** The nine methods. State is kept in Maps: after a restart the host replays what was accepted, and they fill again. */
import { CONNECTED, type Driver, fail } from "bulkhead/plugin";
import { type EndpointAddresses, freeAddresses, Pool, takeAddresses } from "bulkhead/plugin/addressing";
import { privateSubnets } from "./subnets.ts";

export const networkType = "hello-ts";

interface Endpoint extends EndpointAddresses {
  readonly id: number;
}

interface Network {
  /** At most one of each family. */
  readonly pools: readonly Pool[];
  readonly endpoints: Map<string, Endpoint>;
}

export function createDriver(): Driver {
  const networks = new Map<string, Network>();

  function network(nid: string): Network {
    return networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  }

  function endpoint(nid: string, eid: string): Endpoint {
    return network(nid).endpoints.get(eid) ?? fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist`);
  }

  return {
    type: () => networkType,
    config() {},

    createNetwork(nid, options) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const pools = privateSubnets(options).map((subnet) => new Pool(subnet));
      networks.set(nid, { pools, endpoints: new Map() });
    },
    deleteNetwork(nid) {
      if (network(nid).endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has endpoints`);
      networks.delete(nid);
    },

    createEndpoint(nid, eid, epInfo) {
      const { pools, endpoints } = network(nid);
      if (endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already`);
      // Addresses given by the platform, or by the host in a replay, are taken as they are, and none may be added.
      const { id, mac, ipv4, ipv6, given } = takeAddresses(pools, epInfo);
      if (!given) epInfo.addInterface(id, mac, ipv4, ipv6);
      endpoints.set(eid, { id, ipv4, ipv6 });
    },
    deleteEndpoint(nid, eid) {
      freeAddresses(network(nid).pools, endpoint(nid, eid));
      network(nid).endpoints.delete(eid);
    },
    endpointOperInfo(nid, eid) {
      const { ipv4, ipv6 } = endpoint(nid, eid);
      return { ipv4, ipv6 };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id } = endpoint(nid, eid);
      const { pools } = network(nid);
      for (const { gateway, subnet } of pools) {
        if (subnet.family === 4) joinInfo.setGateway(gateway);
        else joinInfo.setGatewayIPv6(gateway);
        joinInfo.addStaticRoute(subnet.text, CONNECTED, "", id);
      }
    },
    leave(nid, eid) {
      endpoint(nid, eid);
    },
  };
}
