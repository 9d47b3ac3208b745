/** The bridge driver with a firewall: what it asks of it, network by network and port by port, through restarts too. */
import { firewallOf } from "#dist/host/plugin-host.js";
import { EndpointConfig, type HostedDriver, JoinConfig, type JsonObject } from "#dist/index.js";
import { readTable } from "#dist/permissions/firewall/ledger.js";
import type { FirewallRule } from "#dist/permissions/firewall/rule.js";
import type { TestHost } from "#dist/testing.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { onDriverKinds } from "../permissions/netlink/backends.js";
import { generic, type Kind, serve } from "./shipped.js";

const test = suite("plugins/bridge with a firewall");
const IPAM = "com.docker.network.ipam";
const PORT_MAP = "com.docker.network.portmap";
const INTERNAL = "com.docker.network.internal";

async function gated(
  t: TestContext,
  kind: Kind,
): Promise<{ host: TestHost; driver: HostedDriver; rules(): Promise<readonly FirewallRule[]> }> {
  const { host } = await serve(t, "bridge", kind, { firewall: { ports: ["8000-8001", "8080"] } });
  const hub = firewallOf(host.host);
  if (!hub) throw new Error("the host has no firewall");
  return {
    host,
    driver: host.driver(),
    async rules() {
      return hub.rules(host.id);
    },
  };
}

const options = (more: object = {}): JsonObject => ({
  ...generic({}),
  [IPAM]: {
    ipv4: [{ AddressSpace: "LocalDefault", Pool: "10.64.1.0/24", Gateway: "10.64.1.1/24", AuxAddresses: {} }],
    ipv6: [{ AddressSpace: "LocalDefault", Pool: "fd64:0:0:1::/64", Gateway: "fd64:0:0:1::1/64" }],
  },
  ...more,
});

const port = (HostPort: number, more: object = {}): JsonObject => ({
  [PORT_MAP]: [{ Proto: 6, IP: "", Port: 80, HostIP: "", HostPort, HostPortEnd: HostPort, ...more }],
});

async function endpoint(driver: HostedDriver, eid: string, ipv4: string, more: JsonObject): Promise<JsonObject> {
  await driver.createEndpoint("n", eid, new EndpointConfig([{ id: 0, mac: "", ipv4: `${ipv4}/24`, ipv6: "" }]), more);
  return driver.endpointOperInfo("n", eid);
}

const hostPort = (info: JsonObject): unknown =>
  ((info[PORT_MAP] ?? []) as JsonObject[]).map(({ HostPort }) => HostPort);

onDriverKinds(
  test,
  "a network is set apart and masqueraded, both families, with the engine's pools; deleted, nothing is left",
  async (t, kind) => {
    const { host, driver, rules } = await gated(t, kind);
    await driver.createNetwork("n", options());
    const [bridge = ""] = await ours(host);
    assert.equal(await rules(), [
      { kind: "isolate", bridge, internal: false },
      { kind: "masquerade", bridge, subnet: "10.64.1.0/24" },
      { kind: "masquerade", bridge, subnet: "fd64:0:0:1::/64" },
    ]);
    await driver.deleteNetwork("n");
    assert.equal(await rules(), []);
    assert.equal(await tables(host), []);
  },
);

onDriverKinds(test, "--internal: no way out, no gateway, and ports are not published", async (t, kind) => {
  const { host, driver, rules } = await gated(t, kind);
  await driver.createNetwork("n", options({ [INTERNAL]: true }));
  const [bridge = ""] = await ours(host);
  await endpoint(driver, "e", "10.64.1.2", port(8080));
  assert.equal(await rules(), [{ kind: "isolate", bridge, internal: true }]);
  const joined = new JoinConfig();
  await driver.join("n", "e", "/sandbox", joined);
  assert.equal([joined.gateway(), joined.gatewayIPv6()], ["", ""]);
});

onDriverKinds(test, "masquerading can be left out; Docker's labels come as text", async (t, kind) => {
  const { host, driver, rules } = await gated(t, kind);
  const label = { "com.docker.network.bridge.enable_ip_masquerade": "false", "com.docker.network.driver.mtu": "1400" };
  await driver.createNetwork("n", { ...options(), ...generic(label) });
  const [bridge = ""] = await ours(host);
  assert.equal(await rules(), [{ kind: "isolate", bridge, internal: false }]);
});

onDriverKinds(
  test,
  "published ports: the one asked for, a free one, one of a range; shown, and gone with the endpoint",
  async (t, kind) => {
    const { driver, rules } = await gated(t, kind);
    await driver.createNetwork("n", options());
    const published = async (): Promise<unknown> =>
      (await rules()).flatMap((rule) => (rule.kind === "publish" ? [`${rule.ip}:${rule.port} ${rule.hostPort}`] : []));
    const info = await endpoint(driver, "a", "10.64.1.2", port(8080));
    assert.equal(info[PORT_MAP], [
      { Proto: 6, IP: "10.64.1.2", Port: 80, HostIP: "0.0.0.0", HostPort: 8080, HostPortEnd: 8080 },
    ]);
    assert.equal(hostPort(await endpoint(driver, "b", "10.64.1.3", port(0))), [8000]);
    assert.equal(hostPort(await endpoint(driver, "c", "10.64.1.4", port(8000, { HostPortEnd: 8001 }))), [8001]);
    assert.equal(await published(), ["10.64.1.2:80 8080", "10.64.1.3:80 8000", "10.64.1.4:80 8001"]);

    const none = await rejection(endpoint(driver, "d", "10.64.1.5", port(0)));
    assert.match(none.message, /port is already allocated/);
    const taken = await rejection(endpoint(driver, "d", "10.64.1.5", port(8080)));
    assert.is(taken.kind, "Forbidden");
    assert.match(taken.message, /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/);
    const ssh = await rejection(endpoint(driver, "d", "10.64.1.5", port(22)));
    assert.is(ssh.code, "ERR_FIREWALL_REFUSED");
    assert.match(ssh.message, /rule "port"/);
    assert.equal((await published()) as unknown[], ["10.64.1.2:80 8080", "10.64.1.3:80 8000", "10.64.1.4:80 8001"]);

    for (const eid of ["a", "b", "c"]) await driver.deleteEndpoint("n", eid);
    assert.equal(await published(), []);
    await endpoint(driver, "d", "10.64.1.5", port(8080));
  },
);

onDriverKinds(
  test,
  "a port is published on all addresses of an endpoint, unless one of the host's families is named",
  async (t, kind) => {
    const { driver } = await gated(t, kind);
    await driver.createNetwork("n", options());
    const show = async (eid: string, more: JsonObject): Promise<unknown> => {
      await driver.createEndpoint("n", eid, new EndpointConfig(), more);
      const ports = (await driver.endpointOperInfo("n", eid))[PORT_MAP] as JsonObject[];
      await driver.deleteEndpoint("n", eid);
      return ports.map(({ HostIP, IP }) => `${HostIP} ${IP}`);
    };
    assert.equal(await show("a", port(8080)), ["0.0.0.0 10.64.1.2", ":: fd64:0:0:1::2"]);
    assert.equal(await show("b", port(8080, { HostIP: "0.0.0.0" })), ["0.0.0.0 10.64.1.2"]);
    assert.equal(await show("c", port(8080, { HostIP: "::" })), [":: fd64:0:0:1::2"]);
    assert.equal(await show("d", port(8080, { HostIP: "127.0.0.1" })), ["127.0.0.1 10.64.1.2"]);
    assert.equal(await show("e", port(8080, { HostIP: "::1" })), ["::1 fd64:0:0:1::2"]);
  },
);

onDriverKinds(
  test,
  "a killed worker: the rules stand, a port that was chosen stays the same, and all goes in the end",
  async (t, kind) => {
    const { host, driver, rules } = await gated(t, kind);
    await driver.createNetwork("n", options());
    await endpoint(driver, "x", "10.64.1.9", port(0));
    const chosen = hostPort(await endpoint(driver, "a", "10.64.1.2", port(0)));
    assert.equal(chosen, [8001]);
    await driver.deleteEndpoint("n", "x");
    const before = await rules();
    await host.kill();
    assert.equal(await rules(), before);
    assert.equal(hostPort(await driver.endpointOperInfo("n", "a")), chosen);
    await driver.deleteEndpoint("n", "a");
    await driver.deleteNetwork("n");
    assert.equal(await tables(host), []);
  },
);

onDriverKinds(test, "without a firewall it works as before, and says what it cannot do", async (t, kind) => {
  const { host } = await serve(t, "bridge", kind);
  const driver = host.driver();
  const internal = await rejection(driver.createNetwork("i", options({ [INTERNAL]: true })));
  assert.is(internal.kind, "BadRequest");
  assert.match(internal.message, /internal network needs the firewall permission/);
  await driver.createNetwork("n", options());
  const published = await rejection(endpoint(driver, "e", "10.64.1.2", port(8080)));
  assert.match(published.message, /published ports need the firewall permission/);
  assert.equal(hostPort(await endpoint(driver, "e", "10.64.1.2", {})), []);
});

onDriverKinds(test, "pools and ports that make no sense are BadRequest, by name", async (t, kind) => {
  const { driver } = await gated(t, kind);
  for (const [ipam, says] of [
    [[], /com\.docker\.network\.ipam must be an object/],
    [{ ipv4: {} }, /ipv4 must be a list/],
    [{ ipv4: ["10.64.1.0/24"] }, /must hold objects/],
    [{ ipv4: [{ Pool: "10.64.1.0/24" }, { Pool: "10.64.2.0/24" }] }, /two pools of IPv4/],
    [{ ipv6: [{ Pool: "10.64.1.0/24" }] }, /not an IPv6 subnet/],
  ] as const) {
    const error = await rejection(driver.createNetwork("n", { [IPAM]: ipam } as unknown as JsonObject));
    assert.is(error.kind, "BadRequest", error.message);
    assert.match(error.message, says);
  }
  const two = await rejection(driver.createNetwork("n", { ...options(), ...generic({ subnet: "10.64.9.0/24" }) }));
  assert.match(two.message, /address management 10\.64\.1\.0\/24/);
  await driver.createNetwork("none", { [IPAM]: { ipv4: [{ Pool: "0.0.0.0/0" }] } });

  await driver.createNetwork("n", options());
  for (const [map, says] of [
    [{}, /must be a list/],
    [[80], /must hold objects/],
    [[{ Proto: 1, Port: 80 }], /Proto 1/],
    [[{ Proto: 6, Port: 0 }], /Port 0/],
    [[{ Proto: 6, Port: 80, HostPort: "8080" }], /HostPort "8080"/],
    [[{ Proto: 6, Port: 80, HostIP: "eth0" }], /HostIP "eth0"/],
  ] as const) {
    const error = await rejection(endpoint(driver, "e", "10.64.1.2", { [PORT_MAP]: map } as unknown as JsonObject));
    assert.is(error.kind, "BadRequest", error.message);
    assert.match(error.message, says);
  }
});

/** The plugin's bridges. */
async function ours(host: TestHost): Promise<readonly string[]> {
  return (await host.links()).filter((name) => /^bh-b/.test(name));
}

/** Tables of ours that are left. */
async function tables(host: TestHost): Promise<readonly string[]> {
  const names = (await firewallOf(host.host)?.backend.tables()) ?? [];
  return names.filter((name) => readTable(name)?.plugin === host.id);
}

test.run();
