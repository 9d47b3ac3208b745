/** The overlay driver on one host: its options and configuration, endpoints, and what it reads from a hostile store. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { EndpointConfig, JoinConfig, type Json, type JsonObject } from "#dist/index.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { assert, rejection, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { generic, partOf, serve } from "./shipped.js";

const test = suite("plugins/overlay");
const BLUE = { network: "blue", subnet: "10.64.0.0/16", subnet6: "fd64::/48" };
const IPAM = "com.docker.network.ipam";

test("a network is a bridge and a vxlan, an endpoint a veth; all of it is kept through a restart, and removed", async (t) => {
  const { host, hub } = await serve(t, "overlay", "model");
  const driver = host.driver();
  const machine = await host.links();
  await driver.createNetwork("n", generic(BLUE));
  const endpoint = new EndpointConfig();
  await driver.createEndpoint("n", "e", endpoint);
  const [made] = endpoint.interfaces();
  assert.equal([made?.address(), made?.addressIPv6()], ["10.64.0.2/24", "fd64::2/64"]);
  assert.match(made?.macAddress() ?? "", /^[0-9a-f][26ae]:/);
  const joined = new JoinConfig(endpoint);
  await driver.join("n", "e", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["10.64.0.1", "fd64::1"]);

  const before = await driver.endpointOperInfo("n", "e");
  const { network, vni, mtu, prefixes, hosts, tunnel, bridge } = before;
  assert.equal([network, vni, mtu, prefixes, hosts], ["blue", 4096, 1450, ["10.64.0.0/24", "fd64::/64"], ["h1"]]);
  const { links } = await hub.backend.look();
  assert.equal([links.get(String(tunnel))?.mtu, links.get(String(bridge))?.mtu], [1450, 1450]);
  await host.kill();
  const { counters: _, ...after } = await driver.endpointOperInfo("n", "e");
  const { counters: __, ...told } = before;
  assert.equal(after, told);
  const another = new EndpointConfig();
  await driver.createEndpoint("n", "f", another);
  assert.is(another.interfaces()[0]?.address(), "10.64.0.3/24");
  assert.not.equal(another.interfaces()[0]?.macAddress(), made?.macAddress(), "MAC addresses are random");

  await driver.leave("n", "e");
  for (const eid of ["e", "f"]) await driver.deleteEndpoint("n", eid);
  await driver.deleteNetwork("n");
  assert.equal(await host.links(), machine);
  await driver.createNetwork("m", generic({ ...BLUE, subnet: "10.70.0.0/16" }));
});

test("options that make no sense are refused, with the option and its value", async (t) => {
  const { host } = await serve(t, "overlay", "model");
  const driver = host.driver();
  await driver.createNetwork("first", generic({ network: "first", subnet: "10.65.0.0/16" }));
  const cases: readonly (readonly [object, RegExp, kind?: string])[] = [
    [{ subnet: "10.64.0.0/16" }, /option network undefined must be the network's name/],
    [{ ...BLUE, network: "constructor" }, /option network "constructor"/],
    [{ ...BLUE, network: "Blue!" }, /option network "Blue!"/],
    [{ network: "blue" }, /network "blue" is on no host yet: .*-o subnet=10\.64\.0\.0\/16/],
    [{ ...BLUE, encrypted: "" }, /unknown option "encrypted"; there are network, subnet/],
    [{ ...BLUE, gateway: "10.64.0.1" }, /unknown option "gateway"/],
    [{ ...BLUE, prefix: "15" }, /option prefix "15" must be the length .* of 10\.64\.0\.0\/16: from 16 to 30/],
    [{ network: "blue", subnet: "10.64.0.0/24" }, /option prefix undefined must be .* from 24 to 30/],
    [{ network: "blue", subnet: "10.64.0.0/16", prefix6: 64 }, /option prefix6 64 needs a subnet of IPv6/],
    [{ ...BLUE, mtu: "1279" }, /MTU: 1279 is below 1280, which IPv6 needs/],
    [{ ...BLUE, mtu: "jumbo" }, /invalid MTU: "jumbo"/],
    [{ ...BLUE, mtu: 1451 }, /network "blue" has the MTU 1451, and this host's parent carries 1450/, "Forbidden"],
    [{ ...BLUE, subnet: "10.64.0.9/16" }, /host bits/],
    [{ network: "blue", subnet: "10.65.8.0/24", prefix: 28 }, /conflicts with network "first"/, "Forbidden"],
    [{ network: "first" }, /network "first" is on this host already, as network first/, "Forbidden"],
  ];
  for (const [options, words, kind = "BadRequest"] of cases) {
    const error = await rejection(driver.createNetwork("n", generic(options) as JsonObject));
    assert.equal([error.kind, words.test(error.message)], [kind, true], `${JSON.stringify(options)}: ${error.message}`);
  }
});

test("the driver's own options are checked, and without them there is no network", async (t) => {
  const self = { host: "h1", address: "198.51.100.1", parent: "eth0" };
  const { readConfig } = await partOf<{ readConfig(options: object): object }>(t, "overlay", "options.ts");
  assert.equal(readConfig(self), { ...self, firstVni: 4096, gone: [] });
  const cases: readonly (readonly [object, string])[] = [
    [{ ...self, host: "" }, 'host ""'],
    [{ ...self, address: "198.51.100.1/24" }, 'address "198.51.100.1/24"'],
    [{ ...self, parent: "eth0; reboot" }, 'parent "eth0; reboot"'],
    [{ ...self, vni: 0 }, "vni 0"],
    [{ ...self, gone: ["h1"] }, 'gone: "h1" is this host'],
    [{ ...self, gone: "h2" }, "gone must be a list"],
    [{ ...self, hosts: [] }, 'unknown driver option "hosts"'],
  ];
  for (const [options, words] of cases) {
    const error = await rejection(Promise.resolve().then(() => readConfig(options)));
    assert.equal([error.kind, error.message.includes(words)], ["BadRequest", true], error.message);
  }
  const { host } = await serve(t, "overlay", "model", { policy: {} });
  const nameless = await rejection(host.driver().createNetwork("n", generic(BLUE)));
  assert.match(nameless.message, /this host has no name yet: .*"options": \{ "overlay":/);
});

test("a host does not change its name while it has a prefix, nor its address while networks are in use", async (t) => {
  const { host } = await serve(t, "overlay", "model");
  const driver = host.driver();
  const self = { host: "h1", address: "198.51.100.1", parent: "eth0" };
  await driver.createNetwork("n", generic(BLUE));
  assert.match(
    (await rejection(driver.config({ ...self, host: "h9" }))).message,
    /this host is "h1" in network "blue": give it/,
  );
  assert.match(
    (await rejection(driver.config({ ...self, parent: "eth1" }))).message,
    /change with a restart of the plugin/,
  );
  await driver.config({ ...self, gone: ["h2"] });
  await driver.deleteNetwork("n");
  await driver.config({ ...self, host: "h9" });
});

test("an engine's address management: its pool is the subnet, and its addresses lie in this host's prefix", async (t) => {
  const { host } = await serve(t, "overlay", "model");
  const driver = host.driver();
  const pool = { [IPAM]: { ipv4: [{ Pool: "10.64.0.0/16", Gateway: "10.64.0.1/16" }] } };
  await driver.createNetwork("n", { ...generic({ network: "blue" }), ...pool } as JsonObject);
  const given = (ipv4: string): EndpointConfig => new EndpointConfig([{ id: 0, ipv4 }]);
  const foreign = await rejection(driver.createEndpoint("n", "e", given("10.64.3.2/16")));
  assert.match(
    foreign.message,
    /10\.64\.3\.2\/16 is not in this host's prefix of network "blue", 10\.64\.0\.0\/24: .*--ip-range/,
  );
  assert.match((await rejection(driver.createEndpoint("n", "e", given("10.64.0.1/16")))).message, /is the gateway's/);
  const endpoint = given("10.64.0.9/16");
  await driver.createEndpoint("n", "e", endpoint);
  const joined = new JoinConfig(endpoint);
  await driver.join("n", "e", "/sandbox", joined);
  // Narrower than the container's own mask: the prefix on its link, the rest by the gateway.
  assert.equal(
    joined.toJSON().staticRoutes.map(({ destination, nextHop }) => [destination, nextHop]),
    [
      ["10.64.0.0/24", ""],
      ["10.64.0.0/17", "10.64.0.1"],
      ["10.64.128.0/17", "10.64.0.1"],
    ],
  );
});

test("an internal network leads to its other hosts, and nowhere else; published ports are refused", async (t) => {
  const { host } = await serve(t, "overlay", "model");
  const driver = host.driver();
  await driver.createNetwork("n", { ...generic(BLUE), "com.docker.network.internal": true });
  const endpoint = new EndpointConfig();
  await driver.createEndpoint("n", "e", endpoint);
  const joined = new JoinConfig(endpoint);
  await driver.join("n", "e", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["", ""]);
  assert.equal(
    joined.toJSON().staticRoutes.map(({ destination, nextHop }) => [destination, nextHop]),
    [
      ["10.64.0.0/16", "10.64.0.1"],
      ["fd64::/48", "fd64::1"],
    ],
  );
  const ports = { "com.docker.network.portmap": [{ Proto: 6, Port: 80, HostPort: 8080 }] };
  assert.match((await rejection(driver.programExternalConnectivity("n", "e", ports))).message, /publishes no ports/);
});

test("the bounds on the page are the driver's, and full values of the store are within its bound", async (t) => {
  const { OVERLAY } = await partOf<{ OVERLAY: Readonly<Record<string, number>> }>(t, "overlay", "limits.ts");
  const page = await readFile(join(REPO, "plugins/overlay/README.md"), "utf8");
  const [, table = ""] = page.split("| bound (`limits.ts`) | | of what |\n| --- | --- | --- |\n");
  const rows = [...(table.split("\n\n")[0] ?? "").matchAll(/^\| `(\w+)` \| (\d+) \|/gm)];
  assert.is(rows.length, 4);
  for (const [, name = "", value] of rows) assert.is(OVERLAY[name], Number(value), name);
  const { networks = 0, hosts = 0, nameChars = 0 } = OVERLAY;
  const name = (n: number): string => `${n}`.padEnd(nameChars, "x");
  const ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const subnets = [
    { text: "255.255.255.255/16", length: 24 },
    { text: `${ip}/48`, length: 126 },
  ];
  const claim = { id: 1e9, vni: 2 ** 24 - 1, subnets, live: false };
  const member = { n: 1e3, machine: "0123456789abcdef", address: ip, mac: "02:00:00:00:00:01" };
  const full = (most: number, one: object): object =>
    Object.fromEntries(Array.from({ length: most }, (_, n) => [name(n), one]));
  for (const value of [
    { serial: 1e9, networks: full(networks, claim) },
    { ...claim, mtu: 9216, hosts: full(hosts, member) },
  ])
    assert.ok(JSON.stringify(value).length <= CLUSTER.valueBytes, String(JSON.stringify(value).length));
});

interface Documents {
  readNetwork(value: Json): {
    readonly hosts: Readonly<Record<string, { readonly n: number; readonly address: string }>>;
  };
  readClaims(value: Json): object;
}

test("whatever is in the store, it is read as a network whose hosts have prefixes of their own, or not at all", async (t) => {
  const { readNetwork, readClaims } = await partOf<Documents>(t, "overlay", "documents.ts");
  const member = { n: 0, machine: "0123456789abcdef", address: "198.51.100.1", mac: "02:00:00:00:00:01" };
  const other = { ...member, n: 1, address: "198.51.100.2", mac: "02:00:00:00:00:02" };
  const claim = { id: 1, vni: 4096, subnets: [{ text: "10.64.0.0/16", length: 24 }] };
  const sound = { ...claim, mtu: 1450, hosts: { h1: member, h2: other } };
  assert.equal(readNetwork(sound as unknown as Json), sound);
  const broken: readonly object[] = [
    { ...sound, hosts: { h1: member, h2: { ...other, n: 0 } } },
    { ...sound, hosts: { h1: member, h2: { ...other, address: member.address } } },
    { ...sound, hosts: { h1: member, h2: { ...other, mac: member.mac } } },
    { ...sound, hosts: { h1: { ...member, n: 256 } } },
    { ...sound, hosts: { h1: { ...member, n: -1 } } },
    { ...sound, hosts: { h1: { ...member, address: "198.51.100.1 dev lo" } } },
    { ...sound, hosts: { h1: { ...member, mac: "01:00:5e:00:00:01" } } },
    { ...sound, hosts: { "h1\n": member } },
    { ...sound, hosts: { h1: { ...member, via: "10.0.0.1" } } },
    { ...sound, subnets: [{ text: "10.0.0.0/8", length: 24 }] },
    { ...sound, subnets: [{ text: "10.64.0.1/16", length: 24 }] },
    { ...sound, subnets: [...claim.subnets, { text: "10.65.0.0/16", length: 24 }] },
    { ...sound, vni: 2 ** 24 },
  ];
  for (const one of broken)
    assert.throws(
      () => readNetwork(one as Json),
      (error: unknown) => error instanceof Error,
    );
  // One value anywhere in it is replaced by another.
  const paths = ["id", "vni", "mtu", "subnets", "hosts", "hosts.h1", "hosts.h1.n", "hosts.h2.address", "hosts.h2.mac"];
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
      const copy = structuredClone(sound) as unknown as Record<string, Record<string, unknown>>;
      const keys = path.split(".");
      let at: Record<string, unknown> = copy;
      for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
      at[keys.at(-1) ?? ""] = value;
      let read: ReturnType<Documents["readNetwork"]>;
      try {
        read = readNetwork(copy as unknown as Json);
      } catch (error) {
        return error instanceof Error && error.message.length < 300;
      }
      const numbers = Object.values(read.hosts).map(({ n }) => n);
      return new Set(numbers).size === numbers.length && numbers.every((n) => n >= 0 && n < 256);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        readClaims({ serial: 0, networks: { blue: value } } as Json);
        return false;
      } catch (error) {
        return error instanceof Error;
      }
    }),
  );
});

test.run();
