/** The driver's methods. Its state is rebuilt after a restart from the calls that the host replays. */
import {
  type Driver,
  type FirewallPower,
  fail,
  type NetlinkPower,
  type StorePower,
  type TrafficPower,
} from "bulkhead/plugin";
import {
  BridgeLinks,
  endpointKey,
  freeAddresses,
  LinkNames,
  macFor,
  Pool,
  readEndpointShape,
  refuseOverlap,
  Shaping,
  takeAddresses,
} from "bulkhead/plugin/addressing";
import { NetworkRules } from "./network-rules.ts";
import { type Endpoint, ipsOf, type Network } from "./networks.ts";
import { readConfig, readNetworkOptions } from "./options.ts";
import { EXPOSED_PORTS, PORT_MAP, portMapOf, readPortMap } from "./ports.ts";
import { Publishing, type Target } from "./publishing.ts";
import { Superseded } from "./superseded.ts";

export const networkType = "bridge";

/** In bytes, for a network whose options and configuration name none. */
const DEFAULT_MTU = 1500;

/** Letters in the names of links: a bridge; the ends of a veth pair, on the bridge and in the sandbox. */
const BRIDGE = ["b"];
const PAIR = ["h", "c"];

/** The powers that the driver uses. */
export interface DriverPowers {
  readonly netlink: NetlinkPower;
  readonly store: StorePower;
  /** These are undefined if they are not granted. */
  readonly firewall?: FirewallPower | undefined;
  readonly traffic?: TrafficPower | undefined;
}

/** Creates the driver, with what earlier workers kept in the store. */
export async function createDriver({ netlink, store, firewall, traffic }: DriverPowers): Promise<Driver> {
  const networks = new Map<string, Network>();
  const links = new BridgeLinks(netlink);
  const rules = new NetworkRules(firewall);
  const publishing = new Publishing(firewall, ({ bridge, ip }) => ownerOf(networks.values(), bridge, ip));
  const shaping = new Shaping(traffic);
  const superseded = new Superseded(store);
  const [names] = await Promise.all([LinkNames.open(netlink.prefix, store), superseded.load()]);
  let configuredMtu = DEFAULT_MTU;

  const network = (nid: string): Network =>
    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid: string, eid: string): Endpoint =>
    network(nid).endpoints.get(eid) ??
    fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`);

  /** Returns the MTU of a bridge that an earlier worker made. */
  async function mtuInUse(bridge: string): Promise<number | undefined> {
    return (await links.inspect([bridge])).get(bridge)?.mtu;
  }

  return {
    type: () => networkType,

    config(options) {
      configuredMtu = readConfig(options) ?? configuredMtu;
    },

    async createNetwork(nid, options, ctx) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const { subnets, mtu, rules: asked, shape, hostIP, interfacePrefix } = readNetworkOptions(options);
      rules.check(asked);
      refuseOverlap(nid, subnets, networks.values());
      const made: Network = {
        nid,
        bridge: "",
        mtu: mtu ?? configuredMtu,
        pools: subnets.map((subnet) => new Pool(subnet)),
        internal: asked.internal,
        shape,
        hostIP,
        interfacePrefix,
        endpoints: new Map(),
      };
      // Takes the id and the subnets before the first await, since other calls may come meanwhile.
      networks.set(nid, made);
      let bridge = "";
      try {
        await shaping.check(shape);
        [bridge = ""] = await names.take(nid, BRIDGE);
        made.bridge = bridge;
        // The configuration may have changed since the bridge was made.
        if (ctx.replay && mtu === undefined) made.mtu = (await mtuInUse(bridge)) ?? configuredMtu;
        const addresses = made.pools.map((pool) => pool.gatewayCIDR);
        const mac = macFor(addresses.find((one) => !one.includes(":")) ?? "", nid);
        await links.makeBridge({ name: bridge, mtu: made.mtu, mac, addresses }, ctx);
        await rules
          .open(
            bridge,
            subnets.map(({ text }) => text),
            asked,
          )
          .catch(async (error: unknown) => {
            // In a replay the bridge may carry traffic: it stays.
            if (!ctx.replay) await rules.close(bridge).then(() => links.remove(bridge));
            throw error;
          });
      } catch (error) {
        networks.delete(nid);
        names.release([bridge]);
        throw error;
      }
    },

    async deleteNetwork(nid) {
      if (!networks.has(nid)) await links.removeOrphans(names.leftBy(nid, BRIDGE));
      const { bridge, endpoints } = network(nid);
      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has ${endpoints.size} active endpoint(s)`);
      await rules.close(bridge);
      await links.remove(bridge);
      networks.delete(nid);
      await names.forget(nid, [bridge]);
    },

    async createEndpoint(nid, eid, epInfo, options, ctx) {
      const on = network(nid);
      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`);
      const key = endpointKey(nid, eid);
      const requests = on.internal || (ctx.replay && superseded.has(key)) ? [] : readPortMap(options, on.hostIP);
      const shape = readEndpointShape(options, on.shape);
      const addressed = takeAddresses(on.pools, epInfo);
      let [link, peer] = ["", ""];
      try {
        if (!ctx.replay) await superseded.forget(key);
        [link = "", peer = ""] = await names.take(key, PAIR);
        const { id, ipv4, ipv6 } = addressed;
        const mac = addressed.mac || macFor(ipv4, ipv6 || key);
        const mapped = options[PORT_MAP] !== undefined;
        const one: Endpoint = { id, link, peer, mac, ipv4, ipv6, mapped, ports: [], exposed: options[EXPOSED_PORTS] };
        await links.makePair({ name: link, peer, mtu: on.mtu, peerMac: mac, bridge: on.bridge }, ctx);
        try {
          await shaping.apply(link, shape);
          // Without requests nothing is withdrawn: in a replay, programExternalConnectivity may follow.
          if (requests.length > 0) one.ports = await publishing.replace(targetOf(on, one), requests);
          if (!addressed.given) epInfo.addInterface(id, mac, ipv4, ipv6);
        } catch (error) {
          if (!ctx.replay) await publishing.withdraw(targetOf(on, one)).then(() => links.remove(link));
          throw error;
        }
        on.endpoints.set(eid, one);
      } catch (error) {
        freeAddresses(on.pools, addressed);
        names.release([link, peer]);
        throw error;
      }
    },

    async deleteEndpoint(nid, eid) {
      const key = endpointKey(nid, eid);
      if (!networks.get(nid)?.endpoints.has(eid)) await links.removeOrphans(names.leftBy(key, PAIR).slice(0, 1));
      const on = networks.get(nid);
      if (on && !on.endpoints.has(eid))
        await publishing.withdrawOrphans(on.bridge, (ip) => on.pools.some((pool) => pool.has(ip)));
      const one = endpoint(nid, eid);
      await publishing.withdraw(targetOf(network(nid), one));
      await links.remove(one.link);
      network(nid).endpoints.delete(eid);
      freeAddresses(network(nid).pools, one);
      await superseded.forget(key);
      await names.forget(key, [one.link, one.peer]);
    },

    async programExternalConnectivity(nid, eid, options) {
      const one = endpoint(nid, eid);
      const on = network(nid);
      one.ports = await publishing.replace(targetOf(on, one), on.internal ? [] : readPortMap(options, on.hostIP));
      if (one.mapped) await superseded.add(endpointKey(nid, eid));
    },

    async revokeExternalConnectivity(nid, eid) {
      const one = endpoint(nid, eid);
      if (one.mapped) await superseded.add(endpointKey(nid, eid));
      await publishing.withdraw(targetOf(network(nid), one));
      one.ports = [];
    },

    async endpointOperInfo(nid, eid) {
      const { link, peer, mac, ipv4, ipv6, ports, exposed } = endpoint(nid, eid);
      const { bridge, mtu } = network(nid);
      const [shown, shape] = await Promise.all([links.inspect([link]), shaping.inForce(link)]);
      const seen = shown.get(link);
      return {
        link,
        peer,
        bridge,
        mtu,
        mac,
        addresses: [ipv4, ipv6].filter((one) => one !== ""),
        up: seen?.up ?? false,
        ...(seen?.counters ? { counters: { ...seen.counters } } : {}),
        ...(shape === undefined ? {} : { shape: { ...shape } }),
        "com.docker.network.endpoint.macaddress": mac,
        ...(ports.length === 0 ? {} : { [PORT_MAP]: portMapOf(ports) }),
        ...(exposed === undefined ? {} : { [EXPOSED_PORTS]: exposed }),
      };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id, peer } = endpoint(nid, eid);
      const { internal, interfacePrefix, pools } = network(nid);
      for (const one of joinInfo.interfaceNames()) if (one.id() === id) one.setNames(peer, interfacePrefix);
      // An internal network has no gateway.
      if (internal) return;
      for (const { subnet, gateway } of pools) {
        if (subnet.family === 4) joinInfo.setGateway(gateway);
        else joinInfo.setGatewayIPv6(gateway);
      }
    },

    leave(nid, eid) {
      endpoint(nid, eid);
    },
  };
}

function targetOf({ bridge }: Network, endpoint: Endpoint): Target {
  return { bridge, ips: ipsOf(endpoint) };
}

/** Describes the endpoint that has an address on a bridge. */
function ownerOf(networks: Iterable<Network>, bridge: string, ip: string): string | undefined {
  for (const { nid, bridge: own, endpoints } of networks) {
    if (own !== bridge) continue;
    for (const [eid, one] of endpoints) if (ipsOf(one).includes(ip)) return `endpoint ${eid} of network ${nid}`;
  }
  return undefined;
}
