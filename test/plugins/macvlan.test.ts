/** The macvlan driver: parents, modes, subnets, and errors as libnetwork's driver has them. */
import { EndpointConfig, JoinConfig, type JsonObject } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { onDriverKinds } from "../permissions/netlink/backends.js";
import { generic, PARENTS, serve } from "./shipped.js";

const test = suite("plugins/macvlan");

onDriverKinds(test, "an endpoint is a macvlan link on the parent, handed over in the join", async (t, kind) => {
  const { host, hub } = await serve(t, "macvlan", kind);
  const driver = host.driver();
  const machine = await host.links();
  for (const [n, mode] of (["bridge", "private"] as const).entries()) {
    const nid = `net-${mode}`;
    await driver.createNetwork(
      nid,
      generic({ parent: PARENTS[n], macvlan_mode: mode, subnet: `10.64.${n}.0/24`, mtu: 1400 }),
    );
    assert.equal((await host.links()).length, machine.length + n, "a network alone is not a link");
    const endpoint = new EndpointConfig();
    await driver.createEndpoint(nid, "e", endpoint);
    assert.equal(endpoint.toJSON(), [{ id: 0, mac: `02:42:0a:40:0${n}:02`, ipv4: `10.64.${n}.2/24`, ipv6: "" }]);
    const { counters: _, link, ...info } = await driver.endpointOperInfo(nid, "e");
    assert.match(String(link), /^mv-m[0-9a-z]{11}$/);
    assert.equal(info, {
      parent: PARENTS[n],
      mode,
      mac: `02:42:0a:40:0${n}:02`,
      addresses: [`10.64.${n}.2/24`],
      inSandbox: false,
      mtu: 1400,
      "com.docker.network.endpoint.macaddress": `02:42:0a:40:0${n}:02`,
    });
    const made = (await hub.backend.look()).links.get(String(link));
    assert.equal([made?.mac, made?.mtu, made?.up], [`02:42:0a:40:0${n}:02`, 1400, false]);
    const joined = new JoinConfig();
    await driver.join(nid, "e", "/sandbox", joined);
    const names = [{ id: 0, srcName: String(link), dstPrefix: "eth" }];
    assert.equal(joined.toJSON(), { names, gateway: `10.64.${n}.1`, gatewayIPv6: "", staticRoutes: [] });
  }
  await host.kill();
  for (const mode of ["bridge", "private"]) {
    await driver.leave(`net-${mode}`, "e");
    await driver.deleteEndpoint(`net-${mode}`, "e");
    await driver.deleteNetwork(`net-${mode}`);
  }
  assert.equal(await host.links(), machine);
});

onDriverKinds(
  test,
  "a parent that is not there, or not granted, is told of when the network is created",
  async (t, kind) => {
    const limits = { parents: ["eth0", "eth9"] };
    const { host } = await serve(t, "macvlan", kind, { limits });
    const driver = host.driver();
    const machine = await host.links();
    const gone = await rejection(driver.createNetwork("n", generic({ parent: "eth9" })));
    assert.match(gone.message, /Cannot find device "?eth9/);
    const foreign = await rejection(driver.createNetwork("n", generic({ parent: "eth1" })));
    assert.match(foreign.message, /rule "parent".*"eth1"/);
    assert.equal(await host.links(), machine);
    await driver.createNetwork("n", generic({ parent: "eth0" }));
  },
);

test("a parent serves one network, and subnets do not overlap", async (t) => {
  const { host } = await serve(t, "macvlan", "model");
  const driver = host.driver();
  await driver.createNetwork("n", generic({ parent: "eth0", subnet: "10.64.0.0/24" }));
  const same = await rejection(driver.createNetwork("m", generic({ parent: "eth0", subnet: "10.64.1.0/24" })));
  assert.equal([same.kind, same.message], ["Forbidden", "network n is already using parent interface eth0"]);
  const overlap = await rejection(driver.createNetwork("m", generic({ parent: "eth1", subnet: "10.64.0.0/25" })));
  assert.is(overlap.kind, "Forbidden");
  assert.match(overlap.message, /conflicts with network n \(10\.64\.0\.0\/24\): networks have overlapping IPv4/);
  await driver.deleteNetwork("n");
  await driver.createNetwork("m", generic({ parent: "eth0", subnet: "10.64.0.0/25" }));
});

test("an IPv6 subnet, or none at all", async (t) => {
  const { host } = await serve(t, "macvlan", "model");
  const driver = host.driver();
  await driver.createNetwork("six", generic({ parent: "eth0", subnet: "fd64::/64" }));
  const six = new EndpointConfig();
  await driver.createEndpoint("six", "e", six);
  assert.equal(
    six.toJSON().map(({ ipv4, ipv6 }) => [ipv4, ipv6]),
    [["", "fd64::2/64"]],
  );
  const joined = new JoinConfig();
  await driver.join("six", "e", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["", "fd64::1"]);

  await driver.createNetwork("none", generic({ parent: "eth1" }));
  const given = new EndpointConfig([{ id: 2, ipv4: "10.64.0.7/24" }]);
  await driver.createEndpoint("none", "e", given);
  assert.is((await driver.endpointOperInfo("none", "e")).mac, "02:42:0a:40:00:07");
});

test("options that make no sense are BadRequest, and name the key", async (t) => {
  const { host } = await serve(t, "macvlan", "model");
  const driver = host.driver();
  const cases: readonly (readonly [object, RegExp])[] = [
    [{}, /option parent undefined must name the link/],
    [{ parent: "eth0; reboot" }, /option parent "eth0; reboot"/],
    [{ parent: 7 }, /option parent 7/],
    [{ parent: "eth0", macvlan_mode: "vepa" }, /requested macvlan mode "vepa" is not valid: use "bridge" or "private"/],
    [{ parent: "eth0", mode: "passthru" }, /mode "passthru"/],
    [{ parent: "eth0", subnet: "10.64.0.0/24", ipv4: { subnet: "10.65.0.0/24" } }, /two IPv4 subnets/],
    [{ parent: "eth0", subnet: "10.64.0.9/24" }, /host bits/],
    [{ parent: "eth0", mtu: 12 }, /invalid MTU: 12/],
    [{ parent: "eth0", ipvlan_mode: "l2" }, /unknown option "ipvlan_mode"/],
  ];
  for (const [options, words] of cases) {
    const error = await rejection(driver.createNetwork("n", generic(options) as JsonObject));
    assert.is(error.kind, "BadRequest", JSON.stringify(options));
    assert.match(error.message, words);
  }
});

test("an address outside what is granted is refused, though the network took the subnet", async (t) => {
  const { host } = await serve(t, "macvlan", "model");
  const driver = host.driver();
  await driver.createNetwork("n", generic({ parent: "eth0", subnet: "192.168.7.0/24" }));
  const error = await rejection(driver.createEndpoint("n", "e", new EndpointConfig()));
  assert.is(error.code, "ERR_DRIVER_REPLY");
  assert.match(error.message, /192\.168\.7\.2\/24 is outside the granted subnets: .*; rolled back$/);
  assert.is((await rejection(driver.deleteEndpoint("n", "e"))).code, "ERR_ENDPOINT_NOT_FOUND");
});

test("a subnet that is used up is Forbidden", async (t) => {
  const { host } = await serve(t, "macvlan", "model");
  const driver = host.driver();
  await driver.createNetwork("n", generic({ parent: "eth0", subnet: "10.64.0.0/30" }));
  await driver.createEndpoint("n", "one", new EndpointConfig());
  const full = await rejection(driver.createEndpoint("n", "two", new EndpointConfig()));
  assert.equal([full.kind, full.message], ["Forbidden", "no free address is left in subnet 10.64.0.0/30"]);
});

onDriverKinds(test, "the engine's pools, of both families, and its gateways; internal is refused", async (t, kind) => {
  const { host } = await serve(t, "macvlan", kind);
  const driver = host.driver();
  const options = {
    ...generic({ parent: "eth0" }),
    "com.docker.network.ipam": {
      ipv4: [{ AddressSpace: "LocalDefault", Pool: "10.64.1.0/24", Gateway: "10.64.1.254/24" }],
      ipv6: [{ AddressSpace: "LocalDefault", Pool: "fd64:0:0:1::/64", Gateway: "" }],
    },
  };
  const internal = await rejection(driver.createNetwork("n", { ...options, "com.docker.network.internal": true }));
  assert.is(internal.kind, "BadRequest");
  assert.match(internal.message, /cannot be internal/);
  await driver.createNetwork("n", options);
  const endpoint = new EndpointConfig();
  await driver.createEndpoint("n", "e", endpoint);
  assert.equal(
    [endpoint.interfaces()[0]?.address(), endpoint.interfaces()[0]?.addressIPv6()],
    ["10.64.1.1/24", "fd64:0:0:1::2/64"],
  );
  const joined = new JoinConfig(endpoint);
  await driver.join("n", "e", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["10.64.1.254", "fd64:0:0:1::1"]);
});

test.run();
