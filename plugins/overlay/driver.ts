/**
 * The driver's methods. What this host has of each network is rebuilt after a restart from its own records and from the calls that the
 * host replays; what all hosts have is followed in the shared store.
 */
import {
  type ClusterPower,
  type Driver,
  type FirewallPower,
  fail,
  type NetlinkPower,
  quote,
  type RandomPower,
  type StorePower,
} from "bulkhead/plugin";
import {
  BridgeLinks,
  endpointKey,
  freeAddresses,
  LinkNames,
  parseCIDR,
  takeAddresses,
} from "bulkhead/plugin/addressing";
import { lead, refuseForeignAddresses, refusePorts } from "./endpoints.ts";
import { FencedHosts } from "./fenced-hosts.ts";
import { Following } from "./following.ts";
import { Membership, messageOf, type Parts } from "./membership.ts";
import { NetworkRules } from "./network-rules.ts";
import { type Endpoint, inTurn, type Network, newNetwork, ownPrefixes, type Prefix } from "./networks.ts";
import { type Config, readConfig, readNetworkOptions, refuseChange } from "./options.ts";
import { Records } from "./records.ts";
import { isOfStore, SharedNetworks } from "./shared.ts";
import { randomMac, Tunnels } from "./tunnel.ts";

export const networkType = "overlay";

/** Letters in the names of links: of the bridge and the vxlan, and of a veth pair's ends on the bridge and in the sandbox. */
const LINKS = ["b", "x"];
const PAIR = ["h", "c"];

/** The powers that the driver uses. */
export interface DriverPowers {
  readonly netlink: NetlinkPower;
  readonly firewall: FirewallPower;
  readonly cluster: ClusterPower;
  readonly store: StorePower;
  readonly random: RandomPower;
}

/** What the driver needs besides its powers. */
export interface DriverMeans extends Pick<Parts, "log"> {
  /** Resolves after the pause for a host that is making a network. */
  pause(): Promise<void>;
  /** Calls later, after the pause for a watch that has ended. */
  later(work: () => void): void;
}

/** Creates the driver, with what earlier workers kept in the store. */
export async function createDriver(powers: DriverPowers, means: DriverMeans): Promise<Driver> {
  const { netlink, firewall, cluster, store, random } = powers;
  const networks = new Map<string, Network>();
  const bridges = new BridgeLinks(netlink);
  const names = await LinkNames.open(netlink.prefix, store);
  const records = await Records.open(store, random, (words) => means.log("error", words, {}));
  const membership = new Membership({
    shared: new SharedNetworks(cluster, means.pause),
    records,
    bridges,
    tunnels: new Tunnels(netlink),
    rules: new NetworkRules(firewall),
    randomMac: () => randomMac(random),
    log: means.log,
  });
  let config: Config | undefined;

  const self = (): Config =>
    config ??
    fail(
      "BadRequest",
      'this host has no name yet: its policy\'s entry for the plugin needs "options": { "overlay": { "host": …, "address": …, "parent": … } }',
    );
  const network = (nid: string): Network =>
    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);
  const endpoint = (nid: string, eid: string): Endpoint =>
    network(nid).endpoints.get(eid) ??
    fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist on network ${nid}`);
  const byName = (name: string): Network | undefined => [...networks.values()].find((one) => one.name === name);
  const prefixes = ({ shared }: Network): readonly Prefix[] => (shared ? ownPrefixes(shared, self().host) : []);

  const following = new Following(cluster, {
    log: means.log,
    later: means.later,
    async changed(name, seen, revision) {
      const on = byName(name);
      if (on && config) await inTurn(on, () => membership.follow(on, seen, revision, self()));
    },
    /** Gives back this host's prefixes in networks that it is not in, and the prefixes of hosts that are gone. */
    async complete() {
      if (!config) return;
      const { host } = config;
      for (const [name, { network: shared }] of following.networks) {
        const stray = shared.hosts[host]?.machine === records.machine && !records.hasName(name) && !byName(name);
        if (stray) await membership.giveBack(name, host, true);
      }
      await giveBackGone();
      for (const { name, incomplete } of networks.values()) if (incomplete) await following.tell(name);
    },
  });
  const fenced = new FencedHosts(cluster, { log: means.log, later: means.later, changed: () => giveBackGone() });
  /** Gives back the prefixes of hosts that an operator says are gone, by a fence or by an option. */
  const giveBackGone = async (): Promise<void> => {
    if (!config) return;
    const { host, gone } = config;
    const others = [...new Set([...gone, ...fenced.names])].filter((one) => one !== host);
    for (const [name, { network: shared }] of following.networks)
      for (const one of others) if (Object.hasOwn(shared.hosts, one)) await membership.giveBack(name, one, false);
  };
  following.start();
  fenced.follow();

  return {
    type: () => networkType,

    config(options) {
      if (Object.keys(options).length === 0) return;
      const next = readConfig(options);
      refuseChange(next, records.namedOtherwise(next.host), networks.size > 0 ? config : undefined);
      config = next;
      fenced.sayAlive(next.host, { address: next.address });
    },

    async createNetwork(nid, options, ctx) {
      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);
      const wish = readNetworkOptions(options);
      const { name, internal } = wish;
      const other = byName(name);
      if (other) fail("Forbidden", `network ${quote(name)} is on this host already, as network ${other.nid}`);
      const made = newNetwork(nid, name, internal);
      const own = self();
      if (!ctx.replay && fenced.names.has(own.host))
        fail(
          "Forbidden",
          `an operator has said that host ${quote(own.host)} is gone, so it enters no network: bulkhead cluster fence --undo ${own.host} takes that back`,
        );
      // Takes the id and the name before the first await, since other calls may come meanwhile.
      networks.set(nid, made);
      try {
        const [bridge = "", tunnel = ""] = await names.take(nid, LINKS);
        Object.assign(made, { bridge, tunnel });
        const kept = records.of(nid);
        if (ctx.replay && kept?.shared) await inTurn(made, () => membership.restore(made, kept, own, ctx));
        else await inTurn(made, () => membership.enter(made, wish, own, ctx));
        await following.tell(name);
      } catch (error) {
        networks.delete(nid);
        names.release([made.bridge, made.tunnel]);
        if (!isOfStore(error)) throw error;
        fail(
          "NoService",
          `network ${quote(name)} cannot be created: the store that hosts share did not do it (${messageOf(error)}); networks that are here already go on, and take new containers`,
        );
      }
    },

    async deleteNetwork(nid) {
      if (!networks.has(nid)) {
        const kept = records.of(nid);
        if (kept && config) await membership.giveBackKept(kept, config.host);
        await bridges.removeOrphans(names.leftBy(nid, LINKS));
      }
      const on = network(nid);
      const { bridge, tunnel, endpoints } = on;
      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has ${endpoints.size} active endpoint(s)`);
      await inTurn(on, () => membership.leave(on, self().host));
      networks.delete(nid);
      await names.forget(nid, [bridge, tunnel]);
    },

    async createEndpoint(nid, eid, epInfo, options, ctx) {
      const on = network(nid);
      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already on network ${nid}`);
      refusePorts(options);
      if (on.lost !== undefined && !ctx.replay) fail("NoService", on.lost);
      refuseForeignAddresses(on.name, prefixes(on), epInfo);
      const key = endpointKey(nid, eid);
      const addressed = takeAddresses(on.pools, epInfo);
      let [link, peer] = ["", ""];
      try {
        [link = "", peer = ""] = await names.take(key, PAIR);
        const { id, ipv4, ipv6 } = addressed;
        // Random, so that a stale neighbour entry for a reused IP address does not match.
        const mac = addressed.mac || randomMac(random);
        const mtu = on.shared?.mtu ?? 0;
        await bridges.makePair({ name: link, peer, mtu, peerMac: mac, bridge: on.bridge }, ctx);
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
      if (!networks.get(nid)?.endpoints.has(eid)) await bridges.removeOrphans(names.leftBy(key, PAIR).slice(0, 1));
      const one = endpoint(nid, eid);
      await bridges.remove(one.link);
      network(nid).endpoints.delete(eid);
      freeAddresses(network(nid).pools, one);
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
      const { link, peer, mac, ipv4, ipv6 } = endpoint(nid, eid);
      const on = network(nid);
      const seen = (await bridges.inspect([link])).get(link);
      return {
        link,
        peer,
        bridge: on.bridge,
        tunnel: on.tunnel,
        network: on.name,
        vni: on.shared?.vni ?? 0,
        mtu: on.shared?.mtu ?? 0,
        prefixes: prefixes(on).map(({ text }) => text),
        hosts: Object.keys(on.shared?.hosts ?? {}),
        stale: following.stale,
        ...(on.lost === undefined ? {} : { lost: on.lost }),
        mac,
        addresses: [ipv4, ipv6].filter((text) => text !== ""),
        up: seen?.up ?? false,
        ...(seen?.counters ? { counters: { ...seen.counters } } : {}),
        "com.docker.network.endpoint.macaddress": mac,
      };
    },

    join(nid, eid, _sandbox, joinInfo) {
      const { id, peer, ipv4, ipv6 } = endpoint(nid, eid);
      const on = network(nid);
      for (const one of joinInfo.interfaceNames()) if (one.id() === id) one.setNames(peer, "eth");
      for (const prefix of prefixes(on)) {
        const address = parseCIDR(prefix.family === 4 ? ipv4 : ipv6);
        const gateway = on.pools.find(({ subnet }) => subnet.family === prefix.family)?.gateway;
        if (address && gateway !== undefined) lead(joinInfo, id, prefix, address.prefix, gateway, on.internal);
      }
    },

    leave(nid, eid) {
      endpoint(nid, eid);
    },
  };
}
