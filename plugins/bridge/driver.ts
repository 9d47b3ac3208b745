/** The nine methods. What is remembered here is rebuilt after a restart from the calls that the host replays. */
import type { Driver, EndpointInfo, FirewallPower, Json, NetlinkPower, StorePower } from "bulkhead/plugin";
import { badRequest, fail, forbidden } from "./errors.ts";
import { type Binding, Gates } from "./gates.ts";
import { Links } from "./links.ts";
import { macFor } from "./macs.ts";
import { endpointKey, NameBook } from "./names.ts";
import { readConfig, readNetworkOptions } from "./options.ts";
import { Pool } from "./pool.ts";
import { EXPOSED_PORTS, PORT_MAP, portMapOf, readPortMap } from "./ports.ts";
import { overlap, type Subnet } from "./subnets.ts";

export const networkType = "bridge";

/** Bytes, where neither network nor configuration says otherwise. */
const DEFAULT_MTU = 1500;

interface Endpoint {
  /** The interface's id. */
  readonly id: number;
  /** The end on the bridge, and the end for the sandbox. */
  readonly link: string;
  readonly peer: string;
  readonly mac: string;
  /** In CIDR form; "" where there is none. */
  readonly ipv4: string;
  readonly ipv6: string;
  ports: readonly Binding[];
  /** Docker's list of the ports its image names, as it came. */
  readonly exposed: Json | undefined;
}

interface Network {
  readonly nid: string;
  bridge: string;
  mtu: number;
  readonly pools: readonly Pool[];
  readonly internal: boolean;
  /** The host's address that ports are published on; "": all. */
  readonly hostIP: string;
  /** How interfaces are called in sandboxes, without their numbers. */
  readonly interfacePrefix: string;
  readonly endpoints: Map<string, Endpoint>;
}

/** Roles of links, a letter in their names: a bridge, a veth's end on it, the other end. */
const BRIDGE = ["b"];
const PAIR = ["h", "c"];

/** What a driver works with. */
export interface DriverPowers {
  readonly netlink: NetlinkPower;
  readonly store: StorePower;
  /** Absent: not granted. */
  readonly firewall?: FirewallPower | undefined;
}

/** Resolves with the driver once it knows the names its earlier workers gave. */
export async function createDriver({ netlink, store, firewall }: DriverPowers): Promise<Driver> {
  const networks = new Map<string, Network>();
  const links = new Links(netlink);
  const gates = new Gates(firewall);
  const names = new NameBook(netlink.prefix, store);
  await names.load();
  let configuredMtu = DEFAULT_MTU;

  const network = (nid: string): Network =>
    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid: string, eid: string): Endpoint =>
    network(nid).endpoints.get(eid) ??
    fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`);

  /** The MTU a network has in the kernel, where a worker before this one made it. */
  async function mtuInUse(bridge: string): Promise<number | undefined> {
    return (await links.look([bridge])).get(bridge)?.mtu;
  }

  return {
    type: () => networkType,

    config(options) {
      configuredMtu = readConfig(options) ?? configuredMtu;
    },

    async createNetwork(nid, options, ctx) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const { subnets, mtu, gates: asked, hostIP, interfacePrefix } = readNetworkOptions(options);
      gates.check(asked);
      refuseOverlap(nid, subnets, networks.values());
      const made: Network = {
        nid,
        bridge: "",
        mtu: mtu ?? configuredMtu,
        pools: subnets.map((subnet) => new Pool(subnet)),
        internal: asked.internal,
        hostIP,
        interfacePrefix,
        endpoints: new Map(),
      };
      // From here on the id and the subnets are taken, whatever is asked meanwhile.
      networks.set(nid, made);
      const [bridge = ""] = await names.take(nid, BRIDGE);
      made.bridge = bridge;
      try {
        // The configuration may have changed since; the links have not.
        if (ctx.replay && mtu === undefined) made.mtu = (await mtuInUse(bridge)) ?? configuredMtu;
        const addresses = made.pools.map((pool) => pool.gatewayCIDR);
        const mac = macFor(addresses.find((one) => !one.includes(":")) ?? "", nid);
        await links.makeBridge({ name: bridge, mtu: made.mtu, mac, addresses }, ctx);
        await gates
          .open(
            bridge,
            subnets.map(({ text }) => text),
            asked,
          )
          .catch(async (error: unknown) => {
            // In a replay the bridge is what traffic flows through: it stays, whatever else went wrong.
            if (!ctx.replay) await gates.close(bridge).then(() => links.remove(bridge));
            throw error;
          });
      } catch (error) {
        networks.delete(nid);
        names.release([bridge]);
        throw error;
      }
    },

    async deleteNetwork(nid) {
      if (!networks.has(nid)) await links.sweep(names.leftBy(nid, BRIDGE));
      const { bridge, endpoints } = network(nid);
      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has ${endpoints.size} active endpoint(s)`);
      await gates.close(bridge);
      await links.remove(bridge);
      networks.delete(nid);
      await names.forget(nid, [bridge]);
    },

    async createEndpoint(nid, eid, epInfo, options, ctx) {
      const on = network(nid);
      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`);
      const wishes = on.internal ? [] : readPortMap(options, on.hostIP);
      const addressed = takeAddresses(on, epInfo);
      const key = endpointKey(nid, eid);
      const [link = "", peer = ""] = await names.take(key, PAIR);
      const { id, ipv4, ipv6 } = addressed;
      const mac = addressed.mac || macFor(ipv4, ipv6 || key);
      const ips = plainAddresses(addressed);
      let ports: readonly Binding[];
      try {
        await links.makePair({ name: link, peer, mtu: on.mtu, peerMac: mac, bridge: on.bridge }, ctx);
        try {
          ports = await gates.publish(on.bridge, wishes, ips);
        } catch (error) {
          if (!ctx.replay) await links.remove(link);
          throw error;
        }
        if (!addressed.given) epInfo.addInterface(id, mac, ipv4, ipv6);
      } catch (error) {
        giveBack(on, addressed);
        names.release([link, peer]);
        throw error;
      }
      on.endpoints.set(eid, { id, link, peer, mac, ipv4, ipv6, ports, exposed: options[EXPOSED_PORTS] });
    },

    async deleteEndpoint(nid, eid) {
      const key = endpointKey(nid, eid);
      if (!networks.get(nid)?.endpoints.has(eid)) await links.sweep(names.leftBy(key, PAIR).slice(0, 1));
      const on = networks.get(nid);
      if (on && !on.endpoints.has(eid)) await gates.sweep(on.bridge, (ip) => on.pools.some((pool) => pool.has(ip)));
      const one = endpoint(nid, eid);
      if (one.ports.length > 0) await gates.withdraw(network(nid).bridge, plainAddresses(one));
      await links.remove(one.link);
      network(nid).endpoints.delete(eid);
      giveBack(network(nid), one);
      await names.forget(key, [one.link, one.peer]);
    },

    async endpointOperInfo(nid, eid) {
      const { link, peer, mac, ipv4, ipv6, ports, exposed } = endpoint(nid, eid);
      const { bridge, mtu } = network(nid);
      const seen = (await links.look([link])).get(link);
      return {
        link,
        peer,
        bridge,
        mtu,
        mac,
        addresses: [ipv4, ipv6].filter((one) => one !== ""),
        up: seen?.up ?? false,
        ...(seen?.counters ? { counters: { ...seen.counters } } : {}),
        "com.docker.network.endpoint.macaddress": mac,
        ...(ports.length === 0 ? {} : { [PORT_MAP]: portMapOf(ports) }),
        ...(exposed === undefined ? {} : { [EXPOSED_PORTS]: exposed }),
      };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id, peer } = endpoint(nid, eid);
      const { internal, interfacePrefix, pools } = network(nid);
      for (const one of joinInfo.interfaceNames()) if (one.id() === id) one.setNames(peer, interfacePrefix);
      // Without a gateway there is no way out to try.
      if (internal) return;
      for (const { subnet, gateway } of pools) {
        if (subnet.family === 4) joinInfo.setGateway(gateway);
        else joinInfo.setGatewayIPv6(gateway);
      }
    },

    leave(nid, eid) {
      endpoint(nid, eid);
    },

    async programExternalConnectivity(nid, eid, options) {
      const one = endpoint(nid, eid);
      const on = network(nid);
      const ips = plainAddresses(one);
      const wishes = on.internal ? [] : readPortMap(options, on.hostIP);
      one.ports = await gates.replace(on.bridge, wishes, ips);
    },

    async revokeExternalConnectivity(nid, eid) {
      const one = endpoint(nid, eid);
      await gates.withdraw(network(nid).bridge, plainAddresses(one));
      one.ports = [];
    },
  };
}

/** libnetwork's rule: no two networks of the driver may share an address. */
function refuseOverlap(nid: string, subnets: readonly Subnet[], others: Iterable<Network>): void {
  for (const other of others) {
    for (const { subnet } of other.pools) {
      const clash = subnets.find((one) => overlap(one, subnet));
      if (clash) {
        forbidden(
          `cannot create network ${nid} (${clash.text}): conflicts with network ${other.nid} (${subnet.text}): networks have overlapping IPv${clash.family}`,
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
  if (another) badRequest("an endpoint of a bridge has one interface; more were given");
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

/** An endpoint's addresses without prefix lengths. */
function plainAddresses({ ipv4, ipv6 }: Pick<Endpoint, "ipv4" | "ipv6">): readonly string[] {
  return [ipv4, ipv6].filter((one) => one !== "").map((one) => one.split("/")[0] ?? "");
}

function giveBack(on: Network, { ipv4, ipv6 }: Pick<Endpoint, "ipv4" | "ipv6">): void {
  for (const pool of on.pools) pool.free(pool.subnet.family === 4 ? ipv4 : ipv6);
}
