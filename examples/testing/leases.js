/** A driver that leases the addresses of a /28, the network's option `range`. leases.test.mjs runs the whole contract over it. */
import { fail, LocalScope } from "bulkhead/plugin";

export async function init(callback) {
  const networks = new Map();

  const network = (nid) => networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid, eid) =>
    network(nid).leases.get(eid) ?? fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist`);

  await callback.registerDriver(
    "leases",
    {
      type: () => "leases",
      config() {},

      createNetwork(nid, options) {
        if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
        const { range = "10.97.0" } = options["com.docker.network.generic"] ?? {};
        networks.set(nid, { range, leases: new Map() });
      },
      deleteNetwork(nid) {
        if (network(nid).leases.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has endpoints`);
        networks.delete(nid);
      },

      createEndpoint(nid, eid, epInfo) {
        const { range, leases } = network(nid);
        if (leases.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already`);
        const [given] = epInfo.interfaces();
        const address = given ? given.address() : lease(range, leases.values());
        if (!given) epInfo.addInterface(0, "", address, "");
        leases.set(eid, address);
      },
      deleteEndpoint(nid, eid) {
        endpoint(nid, eid);
        network(nid).leases.delete(eid);
      },
      endpointOperInfo(nid, eid) {
        return { address: endpoint(nid, eid) };
      },

      join(nid, eid, _sandbox, joinInfo) {
        endpoint(nid, eid);
        for (const one of joinInfo.interfaceNames()) one.setNames(`lease${eid.slice(0, 8)}`, "eth");
        joinInfo.setGateway(`${network(nid).range}.1`);
      },
      leave(nid, eid) {
        endpoint(nid, eid);
      },
    },
    { scope: LocalScope },
  );
}

/** Returns the lowest free address. .1 is the gateway's, .15 the broadcast address. */
function lease(range, leased) {
  const taken = new Set([...leased].map((cidr) => cidr.split("/")[0]));
  for (let host = 2; host < 15; host++) {
    if (!taken.has(`${range}.${host}`)) return `${range}.${host}/28`;
  }
  fail("Forbidden", `all of ${range}.0/28 is leased`);
}
