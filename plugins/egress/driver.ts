/**
 * The driver's methods, in the order of those of `bridge`: a plugin is a folder that loads alone, so neither can import the other. Its
 * state is rebuilt after a restart from the calls that the host replays.
 */
import {
  type Driver,
  type FirewallPower,
  fail,
  type JsonObject,
  type NetlinkPower,
  type ResolverPower,
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
import { Answering } from "./answering.ts";
import { EGRESS } from "./limits.ts";
import { type Endpoint, ipsOf, type Network } from "./networks.ts";
import { type Config, readConfig, readNetworkOptions } from "./options.ts";
import { type Refusal, Refusals } from "./refusals.ts";
import { Walls } from "./walls.ts";

export const networkType = "egress";

/** In bytes, for a network whose options and configuration name none. */
const DEFAULT_MTU = 1500;

const PORT_MAP = "com.docker.network.portmap";

/** Letters in the names of links: a bridge; the ends of a veth pair, on the bridge and in the sandbox. */
const BRIDGE = ["b"];
const PAIR = ["h", "c"];

/** The powers that the driver uses. */
export interface DriverPowers {
  readonly netlink: NetlinkPower;
  readonly store: StorePower;
  readonly firewall: FirewallPower;
  readonly resolver: ResolverPower;
  readonly traffic?: TrafficPower | undefined;
}

/** What the driver needs besides its powers. */
export interface DriverMeans {
  /** In milliseconds. */
  now(): number;
  log(nid: string, client: string, refusal: Refusal): void;
  /** Calls `work` every `ms` milliseconds. */
  every(ms: number, work: () => void): void;
}

/** Creates the driver, with what earlier workers kept in the store. */
export async function createDriver(
  { netlink, store, firewall, resolver, traffic }: DriverPowers,
  means: DriverMeans,
): Promise<Driver> {
  const networks = new Map<string, Network>();
  const links = new BridgeLinks(netlink);
  const walls = new Walls({ firewall, resolver });
  const shaping = new Shaping(traffic);
  const names = await LinkNames.open(netlink.prefix, store);
  let config: Config = { mtu: undefined, lists: new Map() };

  const network = (nid: string): Network =>
    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid: string, eid: string): Endpoint =>
    network(nid).endpoints.get(eid) ??
    fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`);
  const gatewaysOf = ({ pools }: Network): readonly string[] => pools.map(({ gateway }) => gateway);

  let reading = 0;
  /** Reads what the firewall has refused. A failure only leaves the counts as they are. */
  const readRefused = async (): Promise<void> => {
    reading++;
    const flows = await firewall.refused().catch(() => undefined);
    reading--;
    if (flows === undefined) return;
    for (const { bridge, refusals } of networks.values())
      refusals.addPackets(flows.filter((flow) => flow.bridge === bridge));
  };
  means.every(EGRESS.readMs, () => {
    if (reading === 0 && [...networks.values()].some(({ refusals }) => refusals.logs)) void readRefused();
  });

  return {
    type: () => networkType,

    config(options) {
      config = readConfig(options);
    },

    async createNetwork(nid, options, ctx) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const { subnets, mtu, list, refuse, log, shape } = readNetworkOptions(options, config);
      refuseOverlap(nid, subnets, networks.values());
      const refusals = new Refusals(means.now, log ? (client, refusal) => means.log(nid, client, refusal) : undefined);
      const made: Network = {
        nid,
        bridge: "",
        mtu: mtu ?? config.mtu ?? DEFAULT_MTU,
        pools: subnets.map((subnet) => new Pool(subnet)),
        refusals,
        shape,
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
        if (ctx.replay && mtu === undefined) made.mtu = (await links.inspect([bridge])).get(bridge)?.mtu ?? made.mtu;
        const addresses = made.pools.map((pool) => pool.gatewayCIDR);
        const mac = macFor(addresses.find((one) => !one.includes(":")) ?? "", nid);
        await links.makeBridge({ name: bridge, mtu: made.mtu, mac, addresses }, ctx);
        const families = new Set(subnets.map(({ family }) => family));
        const answering = new Answering({
          resolver,
          firewall,
          bridge,
          list,
          refusals,
          refuse,
          families,
          now: means.now,
        });
        await walls
          .close({ bridge, subnets: subnets.map(({ text }) => text), gateways: gatewaysOf(made), list }, (query) =>
            answering.answer(query),
          )
          .catch(async (error: unknown) => {
            // In a replay the bridge may carry traffic: it stays, and stays closed.
            if (!ctx.replay) await walls.remove(bridge, gatewaysOf(made)).then(() => links.remove(bridge));
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
      const on = network(nid);
      const { bridge, endpoints } = on;
      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has ${endpoints.size} active endpoint(s)`);
      await walls.remove(bridge, gatewaysOf(on));
      await links.remove(bridge);
      networks.delete(nid);
      await names.forget(nid, [bridge]);
    },

    async createEndpoint(nid, eid, epInfo, options, ctx) {
      const on = network(nid);
      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`);
      refusePorts(options);
      const key = endpointKey(nid, eid);
      const shape = readEndpointShape(options, on.shape);
      const addressed = takeAddresses(on.pools, epInfo);
      let [link, peer] = ["", ""];
      try {
        [link = "", peer = ""] = await names.take(key, PAIR);
        const { id, ipv4, ipv6 } = addressed;
        const mac = addressed.mac || macFor(ipv4, ipv6 || key);
        await links.makePair({ name: link, peer, mtu: on.mtu, peerMac: mac, bridge: on.bridge }, ctx);
        await shaping.apply(link, shape).catch(async (error: unknown) => {
          if (!ctx.replay) await links.remove(link);
          throw error;
        });
        if (!addressed.given) epInfo.addInterface(id, mac, ipv4, ipv6);
        on.endpoints.set(eid, { id, link, peer, mac, ipv4, ipv6 });
      } catch (error) {
        freeAddresses(on.pools, addressed);
        names.release([link, peer]);
        throw error;
      }
    },

    async deleteEndpoint(nid, eid) {
      const key = endpointKey(nid, eid);
      if (!networks.get(nid)?.endpoints.has(eid)) await links.removeOrphans(names.leftBy(key, PAIR).slice(0, 1));
      const one = endpoint(nid, eid);
      const on = network(nid);
      await links.remove(one.link);
      // Another endpoint may get its addresses, and the kernel keeps the flows for minutes.
      await readRefused();
      on.endpoints.delete(eid);
      on.refusals.forget(ipsOf(one));
      freeAddresses(on.pools, one);
      await names.forget(key, [one.link, one.peer]);
    },

    programExternalConnectivity(nid, eid, options) {
      endpoint(nid, eid);
      refusePorts(options);
    },

    revokeExternalConnectivity(nid, eid) {
      endpoint(nid, eid);
    },

    async endpointOperInfo(nid, eid) {
      const one = endpoint(nid, eid);
      const { link, peer, mac, ipv4, ipv6 } = one;
      const { bridge, mtu, refusals } = network(nid);
      const [shown, shape] = await Promise.all([links.inspect([link]), shaping.inForce(link), readRefused()]);
      const seen = shown.get(link);
      const { names: refusedNames, lastName, packets: refusedPackets, lastPackets } = refusals.of(ipsOf(one));
      return {
        link,
        peer,
        bridge,
        mtu,
        mac,
        addresses: [ipv4, ipv6].filter((text) => text !== ""),
        up: seen?.up ?? false,
        refusedNames,
        ...(lastName ? { lastRefused: { ...lastName } } : {}),
        refusedPackets,
        ...(lastPackets.length > 0 ? { lastRefusedPackets: lastPackets.map((flow) => ({ ...flow })) } : {}),
        ...(seen?.counters ? { counters: { ...seen.counters } } : {}),
        ...(shape === undefined ? {} : { shape: { ...shape } }),
        "com.docker.network.endpoint.macaddress": mac,
      };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id, peer } = endpoint(nid, eid);
      for (const one of joinInfo.interfaceNames()) if (one.id() === id) one.setNames(peer, "eth");
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

/** Throws BadRequest for published ports. */
function refusePorts(options: JsonObject): void {
  const ports = options[PORT_MAP];
  if (!Array.isArray(ports) || ports.length === 0) return;
  fail(
    "BadRequest",
    "a network of the type egress publishes no ports: leave out -p, or publish from a proxy container that is on a bridge network too",
  );
}
