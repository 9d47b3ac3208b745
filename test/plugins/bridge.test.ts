/**
 * The bridge driver: what it makes in the kernel (or its model), addresses, options, errors as libnetwork's driver
 * has them.
 */
import { EndpointConfig, type HostedDriver, JoinConfig, type JsonObject } from "#dist/index.js";
import type { LinkView } from "#dist/permissions/netlink/backend.js";
import type { NetlinkHub } from "#dist/permissions/netlink/hub.js";
import { assert, rejection, suite } from "../harness.js";
import { onDriverKinds } from "../permissions/netlink/backends.js";
import { generic, serve } from "./shipped.js";

const test = suite("plugins/bridge");

async function linkOf(hub: NetlinkHub, name: unknown): Promise<LinkView> {
  const found = (await hub.backend.look({ addresses: true })).links.get(String(name));
  if (!found) throw new Error(`there is no link ${String(name)}`);
  return found;
}

/** An endpoint that the driver fills in. */
async function filled(
  driver: HostedDriver,
  nid: string,
  eid: string,
): Promise<{ mac: string; ipv4: string; ipv6: string }> {
  const config = new EndpointConfig();
  await driver.createEndpoint(nid, eid, config);
  const [one, ...others] = config.toJSON();
  assert.equal([one?.id, others], [0, []]);
  const { mac = "", ipv4 = "", ipv6 = "" } = one ?? {};
  return { mac, ipv4, ipv6 };
}

onDriverKinds(test, "a network is a bridge with its gateways, an endpoint a veth pair on it", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  const driver = host.driver();
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64", mtu: 1400 }));
  assert.equal(await filled(driver, "n", "one"), {
    mac: "02:42:0a:40:01:02",
    ipv4: "10.64.1.2/24",
    ipv6: "fd64:0:0:1::2/64",
  });
  assert.equal(await filled(driver, "n", "two"), {
    mac: "02:42:0a:40:01:03",
    ipv4: "10.64.1.3/24",
    ipv6: "fd64:0:0:1::3/64",
  });

  const info = await driver.endpointOperInfo("n", "one");
  const [bridge, link, peer] = [
    await linkOf(hub, info.bridge),
    await linkOf(hub, info.link),
    await linkOf(hub, info.peer),
  ];
  assert.equal([bridge.up, bridge.mtu, bridge.mac], [true, 1400, "02:42:0a:40:01:01"]);
  const addresses = bridge.addresses
    .map(({ ip, prefix }) => `${ip}/${prefix}`)
    .filter((one) => !one.startsWith("fe80:"));
  assert.equal(addresses.sort(), ["10.64.1.1/24", "fd64:0:0:1::1/64"]);
  assert.equal([link.up, link.mtu, link.master], [true, 1400, bridge.name]);
  assert.equal([peer.up, peer.mtu, peer.mac, peer.master], [false, 1400, "02:42:0a:40:01:02", undefined]);
  for (const { name } of [bridge, link, peer]) assert.match(name, /^bh-[bhc][0-9a-z]{11}$/);

  const { counters, ...rest } = info;
  assert.equal(rest, {
    link: link.name,
    peer: peer.name,
    bridge: bridge.name,
    mtu: 1400,
    mac: "02:42:0a:40:01:02",
    addresses: ["10.64.1.2/24", "fd64:0:0:1::2/64"],
    up: true,
    "com.docker.network.endpoint.macaddress": "02:42:0a:40:01:02",
  });
  assert.equal(Object.keys(counters as JsonObject).sort(), ["rxBytes", "rxPackets", "txBytes", "txPackets"]);

  const joined = new JoinConfig();
  await driver.join("n", "one", "/sandbox", joined);
  assert.equal(joined.toJSON(), {
    names: [{ id: 0, srcName: peer.name, dstPrefix: "eth" }],
    gateway: "10.64.1.1",
    gatewayIPv6: "fd64:0:0:1::1",
    staticRoutes: [],
  });
  await driver.leave("n", "one");
  for (const eid of ["one", "two"]) await driver.deleteEndpoint("n", eid);
  await driver.deleteNetwork("n");
  assert.equal(await host.links(), ["lo"]);
});

onDriverKinds(
  test,
  "a list that comes filled is consumed: id, MAC and addresses are the platform's",
  async (t, kind) => {
    const { host, hub } = await serve(t, "bridge", kind);
    const driver = host.driver();
    await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24" }));
    const given = new EndpointConfig([{ id: 4, mac: "02:00:00:00:00:07", ipv4: "10.64.1.2/24" }]);
    await driver.createEndpoint("n", "one", given);
    const one = await driver.endpointOperInfo("n", "one");
    assert.equal([one.mac, (await linkOf(hub, one.peer)).mac], ["02:00:00:00:00:07", "02:00:00:00:00:07"]);
    const joined = new JoinConfig();
    await driver.join("n", "one", "/sandbox", joined);
    assert.equal(
      joined.toJSON().names.map(({ id }) => id),
      [4],
    );

    await driver.createEndpoint("n", "two", new EndpointConfig([{ id: 0, ipv4: "10.64.1.9/24" }]));
    assert.is((await driver.endpointOperInfo("n", "two")).mac, "02:42:0a:40:01:09");
    assert.is((await filled(driver, "n", "three")).ipv4, "10.64.1.3/24", "the addresses given are taken");
    await driver.createEndpoint("n", "four", new EndpointConfig([{ id: 0 }]));
    assert.match(String((await driver.endpointOperInfo("n", "four")).mac), /^06:/);
  },
);

onDriverKinds(test, "a restarted worker finds its links and goes on with them", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  const driver = host.driver();
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64" }));
  await filled(driver, "n", "one");
  await driver.join("n", "one", "/sandbox", new JoinConfig());
  const before = await hub.backend.look({ addresses: true });
  await driver.config({ mtu: 1300 });
  await host.kill();
  const after = await hub.backend.look({ addresses: true });
  const shape = ({ links }: typeof before): unknown =>
    [...links.values()].map(({ counters: _, addresses, ...link }) => [
      link,
      addresses.filter(({ ip }) => !ip.startsWith("fe80")),
    ]);
  assert.equal(shape(after), shape(before), "not one link is another, whatever is configured by now");
  assert.is((await filled(driver, "n", "two")).ipv4, "10.64.1.3/24");
  assert.is((await driver.endpointOperInfo("n", "two")).mtu, 1500, "a network keeps its MTU");
});

test("IPv6 alone, and no subnet at all", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  await driver.createNetwork("six", generic({ ipv6: { subnet: "fd64::/64", gateway: "fd64::ff" } }));
  const { mac, ...six } = await filled(driver, "six", "one");
  assert.equal(six, { ipv4: "", ipv6: "fd64::1/64" });
  assert.match(mac, /^06(:[0-9a-f]{2}){5}$/);
  const joined = new JoinConfig();
  await driver.join("six", "one", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["", "fd64::ff"]);

  await driver.createNetwork("none");
  const none = await filled(driver, "none", "one");
  assert.equal([none.ipv4, none.ipv6], ["", ""]);
  assert.match(none.mac, /^06(:[0-9a-f]{2}){5}$/);
  assert.is.not(none.mac, (await filled(driver, "none", "two")).mac);
});

test("a subnet that is used up is Forbidden, and what is given back is free again", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/29", subnet6: "fd64::/126" }));
  // The IPv6 subnet ends first: one of the IPv4 addresses must come back each time.
  for (const eid of ["one", "two"]) await filled(driver, "n", eid);
  for (let n = 0; n < 8; n++) {
    const full = await rejection(driver.createEndpoint("n", "three", new EndpointConfig()));
    assert.equal([full.kind, full.message], ["Forbidden", "no free address is left in subnet fd64::/126"]);
  }
  await driver.deleteEndpoint("n", "one");
  assert.equal((await filled(driver, "n", "four")).ipv4, "10.64.1.2/29");

  await driver.createNetwork("small", generic({ subnet: "10.64.2.0/30" }));
  await filled(driver, "small", "one");
  const full = await rejection(driver.createEndpoint("small", "two", new EndpointConfig()));
  assert.equal([full.kind, full.message], ["Forbidden", "no free address is left in subnet 10.64.2.0/30"]);
});

test("an address that cannot be the endpoint's is refused, and nothing is left of it", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", gateway: "10.64.1.254/24", subnet6: "fd64::/64" }));
  assert.is((await filled(driver, "n", "one")).ipv4, "10.64.1.1/24");
  const links = await host.links();
  const cases = [
    ["10.64.2.9/24", "", "BadRequest", "address 10.64.2.9/24 is not in subnet 10.64.1.0/24"],
    ["10.64.1.255/24", "", "BadRequest", "address 10.64.1.255/24 is not in subnet 10.64.1.0/24"],
    ["10.64.1.254/24", "", "Forbidden", "address 10.64.1.254/24 is the gateway's"],
    ["10.64.1.1/24", "", "Forbidden", "address 10.64.1.1/24 is another endpoint's"],
    ["10.64.1.7/24", "fd64::1/64", "Forbidden", "address fd64::1/64 is the gateway's"],
  ] as const;
  for (const [ipv4, ipv6, kind, message] of cases) {
    const error = await rejection(driver.createEndpoint("n", "two", new EndpointConfig([{ id: 0, ipv4, ipv6 }])));
    assert.equal([error.kind, error.message], [kind, message]);
  }
  const two = await rejection(driver.createEndpoint("n", "two", new EndpointConfig([{ id: 0 }, { id: 1 }])));
  assert.is(two.kind, "BadRequest");
  assert.equal(await host.links(), links);
  await driver.createEndpoint("n", "two", new EndpointConfig([{ id: 0, ipv4: "10.64.1.7/24" }]));
});

test("networks of one driver share no address, also when they are created at once", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  const both = await Promise.allSettled(
    ["10.64.0.0/16", "10.64.7.0/24"].map((subnet, n) => driver.createNetwork(`n${n}`, generic({ subnet }))),
  );
  assert.equal(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const error = await rejection(driver.createNetwork("m", generic({ subnet: "10.64.7.0/25" })));
  assert.is(error.kind, "Forbidden");
  assert.match(
    error.message,
    /^cannot create network m \(10\.64\.7\.0\/25\): conflicts with network n0 \(10\.64\.0\.0\/16\): networks have overlapping IPv4$/,
  );
  await driver.deleteNetwork("n0");
  await driver.createNetwork("m", generic({ subnet: "10.64.7.0/25" }));
});

test("options that make no sense are BadRequest, and name the key", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ subnet: "10.64.0.0" }, /subnet "10\.64\.0\.0" is not a subnet; give one such as 10/],
    [{ subnet: 7 }, /subnet 7 is not a subnet/],
    [{ subnet: "10.64.0.7/24" }, /host bits set; write 10\.64\.0\.0\/24/],
    [{ subnet: "10.64.0.0/31" }, /prefix length from 16 to 30/],
    [{ subnet: "10.0.0.0/8" }, /prefix length from 16 to 30/],
    [{ subnet6: "10.64.0.0/24" }, /subnet6 "10\.64\.0\.0\/24" is not an IPv6 subnet/],
    [{ subnet: "fd64::/127" }, /prefix length from 48 to 126/],
    [{ gateway: "10.64.0.1" }, /gateway "10\.64\.0\.1" needs a subnet/],
    [{ subnet: "10.64.0.0/24", gateway: "10.64.1.1" }, /gateway "10\.64\.1\.1" is not an address/],
    [{ subnet: "10.64.0.0/24", gateway: "10.64.0.255" }, /gateway "10\.64\.0\.255" is not an address/],
    [{ subnet: "10.64.0.0/24", ipv4: { subnet: "10.65.0.0/24" } }, /two IPv4 subnets/],
    [{ ipv4: "10.64.0.0/24" }, /ipv4 must be an object/],
    [{ ipv4: { subnets: [] } }, /ipv4 has no key "subnets"/],
    [{ mtu: 67 }, /invalid MTU: mtu 67/],
    [{ mtu: 1279, subnet6: "fd64::/64" }, /invalid MTU: 1279 is below 1280, which IPv6 needs, .* fd64::\/64/],
    [{ mtu: "large" }, /invalid MTU: mtu "large"/],
    [{ "com.docker.network.driver.mtu": "9217" }, /invalid MTU: com\.docker\.network\.driver\.mtu/],
    [{ subnett: "10.64.0.0/24" }, /unknown option "subnett"; there are subnet, gateway/],
    [
      { "com.docker.network.container_iface_prefix": "lan-" },
      /container_iface_prefix "lan-" must be letters and digits/,
    ],
    [{ "com.docker.network.container_iface_prefix": "a".repeat(13) }, /at most 12/],
  ];
  for (const [options, words] of cases) {
    const error = await rejection(driver.createNetwork("n", generic(options)));
    assert.equal([error.kind, error.code], ["BadRequest", "ERR_DRIVER_FAILED"], JSON.stringify(options));
    assert.match(error.message, words);
  }
  const none = { "com.docker.network.generic": [] };
  assert.is((await rejection(driver.createNetwork("n", none))).kind, "BadRequest");
  assert.equal(await host.links(), ["lo"]);
});

test("the MTU: the network's option, Docker's label in text, the configuration, 1500", async (t) => {
  const policy = { options: { bridge: { mtu: 1450 } } };
  const { host, hub } = await serve(t, "bridge", "model", { policy });
  const driver = host.driver();
  const mtuOf = async (options: object, top: object = {}): Promise<unknown> => {
    await driver.createNetwork("n", { ...generic(options), ...top } as JsonObject);
    await filled(driver, "n", "e");
    const { mtu, bridge, peer } = await driver.endpointOperInfo("n", "e");
    assert.equal([(await linkOf(hub, bridge)).mtu, (await linkOf(hub, peer)).mtu], [mtu, mtu]);
    await driver.deleteEndpoint("n", "e");
    await driver.deleteNetwork("n");
    return mtu;
  };
  assert.is(await mtuOf({}), 1450);
  assert.is(await mtuOf({ mtu: 1400 }), 1400);
  assert.is(await mtuOf({ "com.docker.network.driver.mtu": "1350" }), 1350);
  assert.is(await mtuOf({}, { "com.docker.network.driver.mtu": "1350" }), 1350);
  await driver.config({});
  assert.is(await mtuOf({}), 1450, "an empty configuration changes nothing");
  assert.is((await rejection(driver.config({ mtu: 7 }))).kind, "BadRequest");
});

test("what the operator has not granted is refused, and nothing is left", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  const error = await rejection(driver.createNetwork("n", generic({ subnet: "192.168.0.0/24" })));
  assert.equal(
    [error.kind, error.message],
    [
      "Forbidden",
      "pool 192.168.0.0/24 is not granted to this plugin (granted: 10.64.0.0/10, fd64::/32): name one that is, as " +
        '--subnet 10.64.0.0/24, or have the engine choose from it by {"default-address-pools":[{"base":"10.64.0.0/10","size":24}]} in its daemon.json',
    ],
  );
  const six = await rejection(driver.createNetwork("n", generic({ subnet6: "fd65:0:0:7::/64" })));
  assert.match(
    six.message,
    /^pool fd65:0:0:7::\/64 is not granted .* --subnet fd64::\/64, .*"base":"fd64::\/48","size":64/,
  );
  assert.equal(await host.links(), ["lo"]);
  await driver.createNetwork("n", generic({ subnet: "10.64.0.0/24" }));
});

test("a pool where none of its family is granted: the policy's key is named", async (t) => {
  const { host } = await serve(t, "bridge", "model", { limits: { subnets: ["10.64.3.0/26"] } });
  const driver = host.driver();
  const six = await rejection(driver.createNetwork("n", generic({ subnet6: "fd64::/64" })));
  assert.match(six.message, /^pool fd64::\/64 is not granted .*: no IPv6 network is; grant one .* netlink\.subnets$/);
  const four = await rejection(driver.createNetwork("n", generic({ subnet: "10.64.4.0/24" })));
  assert.match(four.message, /--subnet 10\.64\.3\.0\/26, .*"base":"10\.64\.3\.0\/26","size":26/);
});

test("an interface is called as the network's option says", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  await driver.createNetwork("n", generic({ "com.docker.network.container_iface_prefix": "lan" }));
  await filled(driver, "n", "one");
  const joined = new JoinConfig();
  await driver.join("n", "one", "/sandbox", joined);
  assert.match(JSON.stringify(joined), /"lan"/);
});

onDriverKinds(test, "an IPv4 network of a small MTU", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  const driver = host.driver();
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", "com.docker.network.driver.mtu": "576" }));
  await filled(driver, "n", "one");
  const { bridge, link, peer } = await driver.endpointOperInfo("n", "one");
  for (const name of [bridge, link, peer]) assert.is((await linkOf(hub, name)).mtu, 576);
  await driver.deleteEndpoint("n", "one");
  assert.is((await linkOf(hub, bridge)).mtu, 576);
  await driver.deleteNetwork("n");
});

test.run();
