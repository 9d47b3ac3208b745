/** Rules about endpoints. */
import ipaddr from "ipaddr.js";
import type { InterfaceData } from "../../driverapi/types.js";
import { expect, expectEqual } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";
import type { TrialEndpoint } from "../trial.js";

export const ENDPOINT_RULES: readonly RuleRow[] = [
  {
    id: "empty-list-is-populated",
    says: "An empty list of interfaces is filled in by the driver, or left empty.",
    seed: SEED.populate,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const { config } = await trial.createEndpoint(nid);
      for (const { ipv4, ipv6 } of config.toJSON()) {
        for (const address of [ipv4, ipv6])
          expect(!isNoHost(address), `${address} cannot be an endpoint's: it is the network's own`);
      }
    },
  },
  {
    id: "interface-ids",
    says: "The interfaces a driver fills in have ids of their own, the same in every endpoint's life.",
    seed: SEED.interfaceId,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const [one, two] = [await trial.createEndpoint(nid), await trial.createEndpoint(nid)];
      const ids = ({ config }: TrialEndpoint): readonly number[] => config.interfaces().map((each) => each.id());
      expectEqual(ids(two).length, ids(one).length, "two endpoints of one network have interfaces");
      expectEqual(new Set(ids(one)).size, ids(one).length, "interfaces with ids of their own");
    },
  },
  {
    id: "addresses-are-unique",
    says: "No two endpoints of a network are given the same address, nor when they are created at once.",
    seed: SEED.address,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoints = await Promise.all(Array.from({ length: 16 }, () => trial.createEndpoint(nid)));
      const all = endpoints.flatMap(({ config }) => addressesOf(config.toJSON()));
      const twice = all.find((address, index) => all.indexOf(address) !== index);
      expect(twice === undefined, `${twice} is given twice`);
    },
  },
  {
    id: "addresses-stay-unique",
    says: "After an endpoint is deleted, the next one is given no address that another endpoint still has.",
    seed: SEED.address,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const live = [await trial.createEndpoint(nid), await trial.createEndpoint(nid), await trial.createEndpoint(nid)];
      for (let round = 0; round < 3; round++) {
        const oldest = live.shift();
        if (oldest) await trial.driver.deleteEndpoint(nid, oldest.eid);
        const taken = live.flatMap(({ config }) => addressesOf(config.toJSON()));
        const next = await trial.createEndpoint(nid);
        const twice = addressesOf(next.config.toJSON()).find((address) => taken.includes(address));
        expect(twice === undefined, `${twice} is given again while another endpoint has it`);
        live.push(next);
      }
    },
  },
  {
    id: "given-list-is-consumed",
    says: "Interfaces that were given are taken as they are.",
    seed: SEED.given,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const given = await trial.given(nid);
      const { config } = await trial.createEndpoint(nid, given);
      expectEqual(config.interfaces().length, given.length, "interfaces of an endpoint whose list was given");
    },
  },
  {
    id: "given-list-is-not-added-to",
    says: "A driver adds no interface where some were given, and does without an id, MAC or address of its own choice.",
    seed: SEED.addToGiven,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      for (const { mac = "", ipv4 = "", ipv6 = "" } of await trial.given(nid)) {
        for (const given of [
          { id: 0, ipv4, ipv6 },
          { id: 7, mac, ipv4, ipv6 },
        ]) {
          const { eid, config } = await trial.createEndpoint(nid, [given]);
          expectEqual(
            config.interfaces().map((one) => one.id()),
            [given.id],
            "ids of the interfaces given",
          );
          await trial.driver.deleteEndpoint(nid, eid);
        }
      }
    },
  },
  {
    id: "given-addresses-are-taken",
    says: "An address that was given to one endpoint is not filled in for another.",
    seed: SEED.given,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const given = await trial.createEndpoint(nid, await trial.given(nid));
      const taken = new Set(addressesOf(given.config.toJSON()));
      for (let n = 0; n < 4; n++) {
        const filled = addressesOf((await trial.createEndpoint(nid)).config.toJSON());
        const twice = filled.find((address) => taken.has(address));
        expect(twice === undefined, `${twice} was given to another endpoint already`);
      }
    },
  },
  {
    id: "oper-info",
    says: "endpointOperInfo() gives a plain object, before a join, during and after it.",
    seed: SEED.endpointOperInfo,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid);
      const look = async (): Promise<void> => {
        const info = await trial.driver.endpointOperInfo(nid, endpoint.eid);
        expect(typeof info === "object" && info !== null && !Array.isArray(info), "it does not return an object");
      };
      await look();
      await trial.join(endpoint);
      await look();
      await trial.driver.leave(nid, endpoint.eid);
      await look();
    },
  },
  {
    id: "delete-endpoint",
    says: "A deleted endpoint is gone: its id and its addresses can be used again, and the network can be deleted.",
    seed: SEED.deleteEndpoint,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const first = await trial.createEndpoint(nid);
      const had = first.config.toJSON();
      await trial.driver.deleteEndpoint(nid, first.eid);
      const again = await trial.createEndpoint(nid, had, first.eid);
      await trial.driver.deleteEndpoint(nid, again.eid);
      await trial.driver.deleteNetwork(nid);
    },
  },
  {
    id: "endpoints-leave-nothing",
    says: "Endpoints can be created, joined, left and deleted without limit.",
    seed: SEED.deleteEndpoint,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      for (let round = 0; round < trial.rounds; round++) {
        const endpoint = await trial.createEndpoint(nid);
        await trial.join(endpoint);
        await trial.driver.leave(nid, endpoint.eid);
        await trial.driver.deleteEndpoint(nid, endpoint.eid);
      }
      await trial.driver.deleteNetwork(nid);
    },
  },
];

/** Lists the addresses of interfaces, without prefix lengths. */
export function addressesOf(interfaces: readonly InterfaceData[]): readonly string[] {
  return interfaces
    .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
    .filter((cidr) => cidr !== "")
    .map((cidr) => cidr.slice(0, cidr.indexOf("/")));
}

/** Returns whether an address is its network's own, or its IPv4 broadcast address. */
function isNoHost(cidr: string): boolean {
  const [address = "", prefix = ""] = cidr.split("/");
  if (cidr === "" || Number(prefix) >= (cidr.includes(":") ? 127 : 31)) return false;
  if (cidr.includes(":")) return ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String() === address;
  const [network, broadcast] = [ipaddr.IPv4.networkAddressFromCIDR(cidr), ipaddr.IPv4.broadcastAddressFromCIDR(cidr)];
  return network.toString() === address || broadcast.toString() === address;
}
