/**
 * A driver that hands out the addresses of one /28, its network's `range` option, and takes them back. Its test,
 * leases.test.js, runs the whole contract over it.
 */
import { LocalScope } from "bulkhead/plugin";

export async function init(callback) {
  const networks = new Map();

  const network = (nid) => networks.get(nid) ?? refuse("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid, eid) =>
    network(nid).leases.get(eid) ?? refuse("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist`);

  await callback.registerDriver(
    "leases",
    {
      type: () => "leases",
      config() {},

      createNetwork(nid, options) {
        if (networks.has(nid)) refuse("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
        const { range = "10.97.0" } = options["com.docker.network.generic"] ?? {};
        networks.set(nid, { range, leases: new Map() });
      },
      deleteNetwork(nid) {
        if (network(nid).leases.size > 0) refuse("ERR_NETWORK_IN_USE", `network ${nid} has endpoints`);
        networks.delete(nid);
      },

      createEndpoint(nid, eid, epInfo) {
        const { range, leases } = network(nid);
        if (leases.has(eid)) refuse("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already`);
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

/** The lowest address nobody has; .1 is the gateway's, .15 goes to all. */
function lease(range, leased) {
  const taken = new Set([...leased].map((cidr) => cidr.split("/")[0]));
  for (let host = 2; host < 15; host++) {
    if (!taken.has(`${range}.${host}`)) return `${range}.${host}/28`;
  }
  throw Object.assign(new Error(`all of ${range}.0/28 is leased`), { kind: "Forbidden" });
}

/** An error with one of the contract's codes, which say its kind too. */
function refuse(code, message) {
  throw Object.assign(new Error(message), { code });
}
