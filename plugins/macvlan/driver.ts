/** The driver's methods. Its state is rebuilt after a restart from the calls that the host replays. */
import { type Driver, fail, type NetlinkPower, type StorePower } from "bulkhead/plugin";
import {
  type EndpointAddresses,
  endpointKey,
  freeAddresses,
  LinkNames,
  macFor,
  Pool,
  refuseOverlap,
  takeAddresses,
} from "bulkhead/plugin/addressing";
import { Links } from "./links.ts";
import { type Mode, readNetworkOptions } from "./options.ts";

export const networkType = "macvlan";

interface Endpoint extends EndpointAddresses {
  /** The interface's id. */
  readonly id: number;
  readonly link: string;
  readonly mac: string;
}

interface Network {
  readonly nid: string;
  readonly parent: string;
  readonly mode: Mode;
  readonly mtu: number | undefined;
  readonly pools: readonly Pool[];
  readonly endpoints: Map<string, Endpoint>;
}

/** Letters in the names of links: an endpoint's link, and the link that probes a parent. */
const ENDPOINT = ["m"];
const PROBE = ["p"];

/** The powers that the driver uses. */
export interface DriverPowers {
  readonly netlink: NetlinkPower;
  readonly store: StorePower;
}

/** Creates the driver, with what earlier workers kept in the store. */
export async function createDriver({ netlink, store }: DriverPowers): Promise<Driver> {
  const networks = new Map<string, Network>();
  const links = new Links(netlink);
  const names = await LinkNames.open(netlink.prefix, store);

  const network = (nid: string): Network =>
    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid: string, eid: string): Endpoint =>
    network(nid).endpoints.get(eid) ??
    fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`);

  return {
    type: () => networkType,

    // Networks have all the options.
    config() {},

    async createNetwork(nid, options, ctx) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const { parent, mode, mtu, subnets } = readNetworkOptions(options);
      refuseTaken(parent, networks.values());
      refuseOverlap(nid, subnets, networks.values());
      // Takes the id, the parent and the subnets before the first await, since other calls may come meanwhile.
      networks.set(nid, {
        nid,
        parent,
        mode,
        mtu,
        pools: subnets.map((subnet) => new Pool(subnet)),
        endpoints: new Map(),
      });
      // The parent was probed before the restart.
      if (ctx.replay) return;
      const [name = ""] = await names.take(nid, PROBE);
      try {
        await links.probe({ name, parent, mode, ...(mtu === undefined ? {} : { mtu }) });
        ctx.signal.throwIfAborted();
      } catch (error) {
        networks.delete(nid);
        throw error;
      } finally {
        await names.forget(nid, [name]);
      }
    },

    async deleteNetwork(nid) {
      if (!networks.has(nid)) await links.removeOrphans(names.leftBy(nid, PROBE));
      const { endpoints } = network(nid);
      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has ${endpoints.size} active endpoint(s)`);
      networks.delete(nid);
    },

    async createEndpoint(nid, eid, epInfo, _options, ctx) {
      const on = network(nid);
      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`);
      const { id, given, ipv4, ipv6, ...addressed } = takeAddresses(on.pools, epInfo);
      const key = endpointKey(nid, eid);
      const [name = ""] = await names.take(key, ENDPOINT);
      const mac = addressed.mac || macFor(ipv4, ipv6 || key);
      const { parent, mode, mtu } = on;
      try {
        await links.make({ name, parent, mode, mac, ...(mtu === undefined ? {} : { mtu }) }, ctx);
        if (!given) epInfo.addInterface(id, mac, ipv4, ipv6);
      } catch (error) {
        freeAddresses(on.pools, { ipv4, ipv6 });
        names.release([name]);
        throw error;
      }
      on.endpoints.set(eid, { id, link: name, mac, ipv4, ipv6 });
    },

    async deleteEndpoint(nid, eid) {
      const key = endpointKey(nid, eid);
      if (!networks.get(nid)?.endpoints.has(eid)) await links.removeOrphans(names.leftBy(key, ENDPOINT));
      const one = endpoint(nid, eid);
      await links.remove(one.link);
      const on = network(nid);
      on.endpoints.delete(eid);
      freeAddresses(on.pools, one);
      await names.forget(key, [one.link]);
    },

    async endpointOperInfo(nid, eid) {
      const { link, mac, ipv4, ipv6 } = endpoint(nid, eid);
      const { parent, mode } = network(nid);
      const seen = await links.inspect(link);
      return {
        link,
        parent,
        mode,
        mac,
        addresses: [ipv4, ipv6].filter((one) => one !== ""),
        inSandbox: seen?.inSandbox ?? false,
        ...(seen ? { mtu: seen.mtu } : {}),
        ...(seen?.counters ? { counters: { ...seen.counters } } : {}),
        "com.docker.network.endpoint.macaddress": mac,
      };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id, link } = endpoint(nid, eid);
      for (const one of joinInfo.interfaceNames()) if (one.id() === id) one.setNames(link, "eth");
      for (const { subnet, gateway } of network(nid).pools) {
        if (subnet.family === 4) joinInfo.setGateway(gateway);
        else joinInfo.setGatewayIPv6(gateway);
      }
    },

    leave(nid, eid) {
      endpoint(nid, eid);
    },
  };
}

/** Throws Forbidden if another network uses the parent: libnetwork's rule. */
function refuseTaken(parent: string, networks: Iterable<Network>): void {
  for (const { nid, parent: taken } of networks)
    if (taken === parent) fail("Forbidden", `network ${nid} is already using parent interface ${parent}`);
}
