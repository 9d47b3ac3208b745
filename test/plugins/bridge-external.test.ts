/** The bridge driver's ports as an engine moves them: programmed and revoked apart from the endpoint, through restarts too. */
import { firewallOf } from "#dist/host/plugin-host.js";
import { EndpointConfig, type HostedDriver, type Json, type JsonObject } from "#dist/index.js";
import type { TestHost } from "#dist/testing.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { onDriverKinds as onEither } from "../permissions/netlink/backends.js";
import { generic, type Kind, serve } from "./shipped.js";

const test = suite("plugins/bridge: external connectivity");
/** In the kernel each of these is many runs of ip and nft. */
const onDriverKinds = (name: string, body: (t: TestContext, kind: Kind) => unknown): void =>
  onEither(test, name, body, 60_000);
const PORT_MAP = "com.docker.network.portmap";
const GRANT = { ports: ["8000-8003", "8080-8081"] };

interface Stage {
  readonly host: TestHost;
  readonly driver: HostedDriver;
  /** `10.64.1.2:80 8080`, of all published ports. */
  published(): Promise<readonly string[]>;
  endpoint(eid: string, more?: JsonObject, nid?: string): Promise<void>;
}

/** Two networks, `n` and `m`. */
async function stage(t: TestContext, kind: Kind): Promise<Stage> {
  const { host } = await serve(t, "bridge", kind, { firewall: GRANT });
  const driver = host.driver();
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24" }));
  await driver.createNetwork("m", generic({ subnet: "10.64.2.0/24" }));
  return {
    host,
    driver,
    async published() {
      const rules = (await firewallOf(host.host)?.rules(host.id)) ?? [];
      return rules
        .flatMap((rule) => (rule.kind === "publish" ? [`${rule.ip}:${rule.port} ${rule.hostPort}`] : []))
        .sort();
    },
    endpoint: (eid, more = {}, nid = "n") => driver.createEndpoint(nid, eid, new EndpointConfig(), more),
  };
}

const ports = (...wishes: readonly (readonly [port: number, hostPort: number, more?: JsonObject])[]): JsonObject => ({
  [PORT_MAP]: wishes.map(
    ([Port, HostPort, more]): Json => ({
      Proto: 6,
      IP: "",
      Port,
      HostIP: "",
      HostPort,
      HostPortEnd: HostPort,
      ...more,
    }),
  ),
});

const shown = async (driver: HostedDriver, eid: string): Promise<readonly Json[]> =>
  (((await driver.endpointOperInfo("n", eid))[PORT_MAP] ?? []) as JsonObject[]).map(({ HostPort = null }) => HostPort);

onDriverKinds(
  "a container of two networks has its port on the one that is programmed, and it moves",
  async (t, kind) => {
    const { driver, published, endpoint } = await stage(t, kind);
    await endpoint("a", {}, "n");
    await endpoint("b", {}, "m");
    assert.equal(await published(), []);
    await driver.programExternalConnectivity("n", "a", ports([80, 8080]));
    assert.equal(await published(), ["10.64.1.2:80 8080"]);
    await driver.revokeExternalConnectivity("n", "a");
    await driver.programExternalConnectivity("m", "b", ports([80, 8080]));
    assert.equal(await published(), ["10.64.2.2:80 8080"]);
    assert.equal(await shown(driver, "a"), []);
    await driver.revokeExternalConnectivity("m", "b");
    await driver.revokeExternalConnectivity("m", "b");
    assert.equal(await published(), []);
  },
);

onDriverKinds(
  "programming again replaces, also a port that leads elsewhere now; refused, what was there stays",
  async (t, kind) => {
    const { driver, published, endpoint } = await stage(t, kind);
    await endpoint("a");
    await endpoint("b");
    await driver.programExternalConnectivity("n", "b", ports([80, 8081]));
    await driver.programExternalConnectivity("n", "a", ports([80, 8080], [81, 0]));
    const before = ["10.64.1.2:80 8080", "10.64.1.2:81 8000", "10.64.1.3:80 8081"];
    assert.equal(await published(), before);

    const refused = await rejection(driver.programExternalConnectivity("n", "a", ports([82, 8001], [80, 8081])));
    assert.is(refused.kind, "Forbidden");
    assert.match(refused.message, "Bind for 0.0.0.0:8081 failed: port is already allocated to endpoint b of network n");
    assert.equal(await published(), before);
    assert.equal(await shown(driver, "a"), [8080, 8000]);

    await driver.programExternalConnectivity("n", "a", ports([81, 8080], [80, 8002]));
    assert.equal(await published(), ["10.64.1.2:80 8002", "10.64.1.2:81 8080", "10.64.1.3:80 8081"]);
    await driver.programExternalConnectivity("n", "a", {});
    assert.equal(await published(), ["10.64.1.3:80 8081"]);
    await driver.deleteEndpoint("n", "b");
    assert.equal(await published(), []);
  },
);

onDriverKinds("a port left to the driver is the same again after a restart of the worker", async (t, kind) => {
  const { host, driver, published, endpoint } = await stage(t, kind);
  await endpoint("x");
  await driver.programExternalConnectivity("n", "x", ports([80, 0]));
  await endpoint("a");
  await driver.programExternalConnectivity("n", "a", ports([80, 0], [80, 0], [81, 0]));
  assert.equal(await shown(driver, "a"), [8001, 8002, 8003], "one port of the container's twice has two of the host's");
  await driver.revokeExternalConnectivity("n", "x");
  const before = await published();
  await host.kill();
  assert.equal(await shown(driver, "a"), [8001, 8002, 8003]);
  assert.equal(await published(), before);
  await driver.revokeExternalConnectivity("n", "a");
  await host.kill();
  assert.equal([await published(), await shown(driver, "a")], [[], []]);
});

onDriverKinds(
  "a map that comes with the endpoint is published at once, and holds until another word is said",
  async (t, kind) => {
    const { host, driver, published, endpoint } = await stage(t, kind);
    await endpoint("a", ports([80, 8080]));
    await endpoint("b", ports([80, 8081]));
    await endpoint("c", ports([80, 8000]));
    assert.equal(await published(), ["10.64.1.2:80 8080", "10.64.1.3:80 8081", "10.64.1.4:80 8000"]);
    await driver.programExternalConnectivity("n", "a", ports([80, 8001]));
    await driver.programExternalConnectivity("n", "b", ports([80, 8081]));
    await driver.revokeExternalConnectivity("n", "b");
    const after = ["10.64.1.2:80 8001", "10.64.1.4:80 8000"];
    assert.equal(await published(), after);
    await host.kill();
    assert.equal([await shown(driver, "a"), await shown(driver, "b"), await shown(driver, "c")], [[8001], [], [8000]]);
    assert.equal(await published(), after, "a replay repeats the endpoint's options, and not what they published");
    await driver.deleteEndpoint("n", "b");
    await endpoint("b", ports([80, 8081]));
    assert.equal(await shown(driver, "b"), [8081], "another endpoint of that name starts afresh");
  },
);

onDriverKinds(
  "an open port is one of the ephemeral range where that is granted, as an engine chooses it",
  async (t, kind) => {
    const { host } = await serve(t, "bridge", kind, { firewall: { ports: ["80", "1024-65535"] } });
    const driver = host.driver();
    await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24" }));
    for (const eid of ["a", "b"]) {
      await driver.createEndpoint("n", eid, new EndpointConfig());
      await driver.programExternalConnectivity("n", eid, ports([80, 0]));
    }
    assert.equal([await shown(driver, "a"), await shown(driver, "b")], [[32_768], [32_769]]);
  },
);

test.run();
