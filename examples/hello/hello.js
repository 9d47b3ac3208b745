/**
 * A network driver in one file: it hands out the addresses of a network's option `subnet`, and sets link names, gateway and route
 * when a sandbox joins. It does so by hand; `bulkhead/plugin/addressing` does the same for IPv4 and IPv6.
 */
import { CONNECTED, fail, LocalScope } from "bulkhead/plugin";

export async function init(callback) {
  const networks = new Map();

  const network = (nid) => networks.get(nid) ?? fail("NotFound", `network ${nid} does not exist`);
  const endpoint = (nid, eid) => network(nid).endpoints.get(eid) ?? fail("NotFound", `endpoint ${eid} does not exist`);

  await callback.registerDriver(
    "hello",
    {
      type: () => "hello",
      config() {},

      createNetwork(nid, options) {
        if (networks.has(nid)) fail("Forbidden", `network ${nid} exists already`);
        const { subnet = "10.99.0.0/24" } = options["com.docker.network.generic"] ?? {};
        networks.set(nid, { ...parseSubnet(subnet), endpoints: new Map() });
      },
      deleteNetwork(nid) {
        if (network(nid).endpoints.size > 0) fail("Forbidden", `network ${nid} has endpoints`);
        networks.delete(nid);
      },

      createEndpoint(nid, eid, epInfo) {
        const { base, bits, size, endpoints } = network(nid);
        if (endpoints.has(eid)) fail("Forbidden", `endpoint ${eid} exists already`);
        const [given] = epInfo.interfaces();
        if (given) {
          endpoints.set(eid, { id: given.id(), address: given.address() });
          return;
        }
        // Compares addresses without prefix lengths: the platform may give another one.
        const taken = new Set([...endpoints.values()].map((one) => one.address.split("/")[0]));
        // .0 is the network, .1 the gateway, the last one the broadcast address.
        for (let host = 2; host < size - 1; host++) {
          if (taken.has(toText(base + host))) continue;
          const address = `${toText(base + host)}/${bits}`;
          epInfo.addInterface(0, "", address, "");
          endpoints.set(eid, { id: 0, address });
          return;
        }
        fail("Forbidden", `network ${nid} has no free address`);
      },
      deleteEndpoint(nid, eid) {
        endpoint(nid, eid);
        network(nid).endpoints.delete(eid);
      },
      endpointOperInfo(nid, eid) {
        return { address: endpoint(nid, eid).address };
      },

      join(nid, eid, _sandbox, joinInfo) {
        const { base, bits } = network(nid);
        const { id } = endpoint(nid, eid);
        joinInfo.setGateway(toText(base + 1));
        joinInfo.addStaticRoute(`${toText(base)}/${bits}`, CONNECTED, "", id);
      },
      leave(nid, eid) {
        endpoint(nid, eid);
      },
    },
    { scope: LocalScope },
  );
}

/** Parses "10.1.0.0/24": its first address as a number, its prefix length, and its number of addresses. */
function parseSubnet(text) {
  const [address, bits] = text.split("/");
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)) || !(bits >= 8 && bits <= 30)) {
    fail("BadRequest", `subnet "${text}" is not an IPv4 network between /8 and /30`);
  }
  const size = 2 ** (32 - bits);
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { base: value - (value % size), bits: Number(bits), size };
}

function toText(value) {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
