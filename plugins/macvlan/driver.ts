/** The nine methods. What is remembered here is rebuilt after a restart from the calls that the host replays. */
import type { Driver, EndpointInfo, NetlinkPower, StorePower } from "bulkhead/plugin";
import { badRequest, fail, forbidden } from "./errors.ts";
import { Links } from "./links.ts";
import { macFor } from "./macs.ts";
import { endpointKey, NameBook } from "./names.ts";
import { type Mode, readNetworkOptions } from "./options.ts";
import { Pool } from "./pool.ts";
import { overlap, type Subnet } from "./subnets.ts";

export const networkType = "macvlan";

interface Endpoint {
  /** The interface's id. */
  readonly id: number;
  readonly link: string;
  readonly mac: string;
  /** In CIDR form; "" where there is none. */
  readonly ipv4: string;
  readonly ipv6: string;
}

interface Network {
  readonly nid: string;
  readonly parent: string;
  readonly mode: Mode;
  readonly mtu: number | undefined;
  readonly pools: readonly Pool[];
  readonly endpoints: Map<string, Endpoint>;
}

/** Roles of links, a letter in their names: an endpoint's, and the one by which a parent is tried. */
const ENDPOINT = ["m"];
const PROBE = ["p"];

/** What a driver works with. */
export interface DriverPowers {
  readonly netlink: NetlinkPower;
  readonly store: StorePower;
}

/** Resolves with the driver once it knows the names its earlier workers gave. */
export async function createDriver({ netlink, store }: DriverPowers): Promise<Driver> {
  const networks = new Map<string, Network>();
  const links = new Links(netlink);
  const names = new NameBook(netlink.prefix, store);
  await names.load();

  const network = (nid: string): Network =>
    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid: string, eid: string): Endpoint =>
    network(nid).endpoints.get(eid) ??
    fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`);

  return {
    type: () => networkType,

    // Everything is said network by network.
    config() {},

    async createNetwork(nid, options, ctx) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const { parent, mode, mtu, subnets } = readNetworkOptions(options);
      refuseTaken(nid, parent, subnets, networks.values());
      // From here on the id, the parent and the subnet are taken, whatever is asked meanwhile.
      networks.set(nid, {
        nid,
        parent,
        mode,
        mtu,
        pools: subnets.map((subnet) => new Pool(subnet)),
        endpoints: new Map(),
      });
      // What could be made before the restart needs no trying.
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
      if (!networks.has(nid)) await links.sweep(names.leftBy(nid, PROBE));
      const { endpoints } = network(nid);
      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has ${endpoints.size} active endpoint(s)`);
      networks.delete(nid);
    },

    async createEndpoint(nid, eid, epInfo, _options, ctx) {
      const on = network(nid);
      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`);
      const { id, given, ipv4, ipv6, ...addressed } = takeAddresses(on, epInfo);
      const key = endpointKey(nid, eid);
      const [name = ""] = await names.take(key, ENDPOINT);
      const mac = addressed.mac || macFor(ipv4, ipv6 || key);
      const { parent, mode, mtu } = on;
      try {
        await links.make({ name, parent, mode, mac, ...(mtu === undefined ? {} : { mtu }) }, ctx);
        if (!given) epInfo.addInterface(id, mac, ipv4, ipv6);
      } catch (error) {
        giveBack(on, { ipv4, ipv6 });
        names.release([name]);
        throw error;
      }
      on.endpoints.set(eid, { id, link: name, mac, ipv4, ipv6 });
    },

    async deleteEndpoint(nid, eid) {
      const key = endpointKey(nid, eid);
      if (!networks.get(nid)?.endpoints.has(eid)) await links.sweep(names.leftBy(key, ENDPOINT));
      const one = endpoint(nid, eid);
      await links.remove(one.link);
      const on = network(nid);
      on.endpoints.delete(eid);
      giveBack(on, one);
      await names.forget(key, [one.link]);
    },

    async endpointOperInfo(nid, eid) {
      const { link, mac, ipv4, ipv6 } = endpoint(nid, eid);
      const { parent, mode } = network(nid);
      const seen = await links.look(link);
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

/** libnetwork's rule: a parent serves one network. And as with any driver, no two networks may share an address. */
function refuseTaken(nid: string, parent: string, subnets: readonly Subnet[], others: Iterable<Network>): void {
  for (const other of others) {
    if (other.parent === parent) forbidden(`network ${other.nid} is already using parent interface ${parent}`);
    for (const { subnet: theirs } of other.pools) {
      const clash = subnets.find((one) => overlap(one, theirs));
      if (clash) {
        forbidden(
          `cannot create network ${nid} (${clash.text}): conflicts with network ${other.nid} (${theirs.text}): networks have overlapping IPv${clash.family}`,
        );
      }
    }
  }
}

/** An endpoint's addresses: those given, or one of each of the network's subnets. */
interface Addressed {
  readonly id: number;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly given: boolean;
}

function takeAddresses(on: Network, epInfo: EndpointInfo): Addressed {
  const [given, another] = epInfo.interfaces();
  if (another) badRequest("an endpoint of a macvlan network has one interface; more were given");
  const poolOf = (family: 4 | 6): Pool | undefined => on.pools.find(({ subnet }) => subnet.family === family);
  const [pool4, pool6] = [poolOf(4), poolOf(6)];
  if (!given) {
    const ipv4 = pool4?.take() ?? "";
    try {
      return { id: 0, mac: "", ipv4, ipv6: pool6?.take() ?? "", given: false };
    } catch (error) {
      pool4?.free(ipv4);
      throw error;
    }
  }
  const [ipv4, ipv6] = [given.address(), given.addressIPv6()];
  if (ipv4 !== "") pool4?.keep(ipv4);
  try {
    if (ipv6 !== "") pool6?.keep(ipv6);
  } catch (error) {
    pool4?.free(ipv4);
    throw error;
  }
  return { id: given.id(), mac: given.macAddress(), ipv4, ipv6, given: true };
}

function giveBack(on: Network, { ipv4, ipv6 }: Pick<Endpoint, "ipv4" | "ipv6">): void {
  for (const pool of on.pools) pool.free(pool.subnet.family === 4 ? ipv4 : ipv6);
}
