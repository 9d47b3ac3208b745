/** The nine methods. State is plain Maps: after a restart the host replays what was accepted, and they fill again. */
import { CONNECTED, type Driver, type JsonObject } from "bulkhead/plugin";
import { forbidden, notFound } from "./errors.ts";
import { openPool, type Pool } from "./pool.ts";

export const networkType = "hello-ts";

interface Endpoint {
  readonly id: number;
  readonly ipv4: string;
  readonly ipv6: string;
}

interface Network {
  readonly pool4: Pool;
  readonly pool6: Pool;
  readonly endpoints: Map<string, Endpoint>;
}

export function createDriver(): Driver {
  const networks = new Map<string, Network>();

  function network(nid: string): Network {
    return networks.get(nid) ?? notFound(`network ${nid} does not exist`);
  }

  function endpoint(nid: string, eid: string): Endpoint {
    return network(nid).endpoints.get(eid) ?? notFound(`endpoint ${eid} does not exist`);
  }

  return {
    type: () => networkType,
    config() {},

    createNetwork(nid, options) {
      if (networks.has(nid)) forbidden(`network ${nid} exists already`);
      const { subnet = "10.98.0.0/24", subnet6 = "fd98::/64" } = generic(options);
      networks.set(nid, { pool4: openPool(subnet, "ipv4"), pool6: openPool(subnet6, "ipv6"), endpoints: new Map() });
    },
    deleteNetwork(nid) {
      if (network(nid).endpoints.size > 0) forbidden(`network ${nid} has endpoints`);
      networks.delete(nid);
    },

    createEndpoint(nid, eid, epInfo) {
      const { pool4, pool6, endpoints } = network(nid);
      if (endpoints.has(eid)) forbidden(`endpoint ${eid} exists already`);
      // Given by the platform, or by the host in a replay: those addresses are taken, and none may be added.
      const [given] = epInfo.interfaces();
      const ipv4 = given ? pool4.keep(given.address()) : pool4.take();
      const ipv6 = given ? pool6.keep(given.addressIPv6()) : pool6.take();
      if (!given) epInfo.addInterface(0, "", ipv4, ipv6);
      endpoints.set(eid, { id: given?.id() ?? 0, ipv4, ipv6 });
    },
    deleteEndpoint(nid, eid) {
      const { ipv4, ipv6 } = endpoint(nid, eid);
      const { pool4, pool6, endpoints } = network(nid);
      pool4.free(ipv4);
      pool6.free(ipv6);
      endpoints.delete(eid);
    },
    endpointOperInfo(nid, eid) {
      const { ipv4, ipv6 } = endpoint(nid, eid);
      return { ipv4, ipv6 };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id } = endpoint(nid, eid);
      const { pool4, pool6 } = network(nid);
      for (const one of joinInfo.interfaceNames()) one.setNames(`hts${eid.slice(0, 7)}`, "eth");
      joinInfo.setGateway(pool4.gateway);
      joinInfo.setGatewayIPv6(pool6.gateway);
      for (const { subnet } of [pool4, pool6]) joinInfo.addStaticRoute(subnet, CONNECTED, "", id);
    },
    leave(nid, eid) {
      endpoint(nid, eid);
    },
  };
}

/** What Docker passes on from `--opt`. */
function generic(options: JsonObject): { readonly subnet?: string; readonly subnet6?: string } {
  return (options["com.docker.network.generic"] ?? {}) as { subnet?: string; subnet6?: string };
}
