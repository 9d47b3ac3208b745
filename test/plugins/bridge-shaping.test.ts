/** The bridge driver's rate, delay and loss: per network and endpoint, refused at creation, through restarts too. */
import { EndpointConfig, type HostedDriver, type JsonObject } from "#dist/index.js";
import type { TrafficLimits } from "#dist/permissions/traffic/grant.js";
import type { TestHost } from "#dist/testing.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { DRIVER_KINDS } from "../permissions/netlink/backends.js";
import { netem, noNetem, noRate } from "../permissions/traffic/backends.js";
import { generic, type Kind, serve } from "./shipped.js";

const test = suite("plugins/bridge with shapes");
const SUBNET = "10.64.1.0/24";

function onEach(name: string, body: (t: TestContext, kind: Kind) => unknown, lacks = noRate): void {
  for (const kind of DRIVER_KINDS)
    test(`${kind}: ${name}`, (t) => body(t, kind), { ms: 60_000, needs: kind === "kernel" && lacks });
}

async function shaping(
  t: TestContext,
  kind: Kind,
  traffic: Partial<TrafficLimits> = {},
): Promise<{ host: TestHost; driver: HostedDriver }> {
  const { host } = await serve(t, "bridge", kind, { traffic });
  return { host, driver: host.driver() };
}

async function shapeOf(driver: HostedDriver, nid: string, eid: string): Promise<unknown> {
  return (await driver.endpointOperInfo(nid, eid)).shape;
}

async function endpoint(driver: HostedDriver, nid: string, eid: string, options: JsonObject = {}): Promise<unknown> {
  await driver.createEndpoint(nid, eid, new EndpointConfig(), options);
  return shapeOf(driver, nid, eid);
}

onEach(
  "a network's rate is its endpoints' default; an endpoint's own goes before it; none takes it off",
  async (t, kind) => {
    const { host, driver } = await shaping(t, kind);
    await driver.createNetwork("n", generic({ subnet: SUBNET, rate: "20mbit", burst: "64kb" }));
    assert.equal(await endpoint(driver, "n", "a"), { rate: "20mbit", burst: "64kb" });
    assert.equal(await endpoint(driver, "n", "b", { rate: "5mbit" }), { rate: "5mbit", burst: "64kb" });
    assert.equal(await endpoint(driver, "n", "c", { rate: "none", burst: "none" }), undefined);
    assert.equal(await endpoint(driver, "n", "d", { rate: "", ...generic({ burst: "32kb" }) }), {
      rate: "20mbit",
      burst: "32kb",
    });
    await host.kill();
    assert.equal(await shapeOf(driver, "n", "b"), { rate: "5mbit", burst: "64kb" }, "after a restart");
    for (const eid of ["a", "b", "c", "d"]) await driver.deleteEndpoint("n", eid);
    await driver.deleteNetwork("n");
  },
);

onEach(
  "delay, jitter and loss",
  async (t, kind) => {
    const { driver } = await shaping(t, kind);
    const all = { rate: "20mbit", delay: "40ms", jitter: "5ms", loss: "1%" };
    await driver.createNetwork("n", generic({ subnet: SUBNET, ...all }));
    assert.equal(await endpoint(driver, "n", "a"), all);
    await driver.deleteEndpoint("n", "a");
  },
  noNetem,
);

test(
  "kernel: what it lacks is refused when the network is made, and when an endpoint is, with the option's name",
  async (t) => {
    const { host, driver } = await shaping(t, "kernel");
    const asked = generic({ subnet: SUBNET, rate: "20mbit", loss: "1%" });
    const error = await rejection(driver.createNetwork("n", asked));
    assert.is((error as unknown as { kind: string }).kind, "NotImplemented");
    assert.match(error.message, /option loss cannot be had here: this kernel lacks sch_netem/);
    assert.equal(await host.links(), ["lo"]);
    await driver.createNetwork("n", generic({ subnet: SUBNET }));
    const links = await host.links();
    assert.match(
      (await rejection(endpoint(driver, "n", "a", { delay: "40ms" }))).message,
      /option delay cannot be had here/,
    );
    assert.equal(await host.links(), links);
    await driver.deleteNetwork("n");
  },
  { ms: 60_000, needs: netem },
);

const WRONG: readonly (readonly [options: object, kind: string, says: RegExp])[] = [
  [{ rate: "20 mbit" }, "BadRequest", /option rate "20 mbit" must be a number and a unit/],
  [{ rate: "20mbit\nqdisc" }, "BadRequest", /option rate "20mbit\\nqdisc" must be/],
  [{ rate: 20 }, "BadRequest", /option rate 20 must be a string/],
  [{ rate: ["20mbit"] }, "BadRequest", /option rate an object must be a string/],
  [{ rate: "x".repeat(5000) }, "BadRequest", /arguments must be plain JSON|must be a number/],
  [{ burst: "64kb" }, "BadRequest", /option burst "64kb" needs a rate/],
  [{ delay: "40" }, "BadRequest", /option delay "40" must be a number and a unit/],
  [{ delay: "5ms", jitter: "40ms" }, "Forbidden", /option jitter "40ms" is above the delay/],
  [{ loss: "101%" }, "BadRequest", /option loss "101%" is outside/],
  [{ rate: "1gbit" }, "Forbidden", /option rate "1gbit" is outside 8kbit to 100000kbit/],
];

onEach(
  "values that are none, or not granted, are refused for network and endpoint; nothing is left",
  async (t, kind) => {
    const { host, driver } = await shaping(t, kind, { maxKbit: 100_000 });
    await driver.createNetwork("n", generic({ subnet: SUBNET }));
    const links = await host.links();
    for (const [options, kindOf, says] of WRONG) {
      for (const refused of [
        driver.createNetwork("m", generic({ subnet: "10.64.2.0/24", ...options })),
        endpoint(driver, "n", "a", options as JsonObject),
      ]) {
        const error = await rejection(refused);
        assert.match(error.message, says);
        if (!String(says).includes("plain JSON"))
          assert.is((error as unknown as { kind: string }).kind, kindOf, error.message);
      }
    }
    assert.equal(await host.links(), links);
    await driver.deleteNetwork("n");
  },
);

test("model: without the permission the options are refused, and nothing else changes", async (t) => {
  const { host } = await serve(t, "bridge", "model");
  const driver = host.driver();
  const error = await rejection(driver.createNetwork("n", generic({ subnet: SUBNET, rate: "20mbit" })));
  assert.match(error.message, /option rate needs the traffic permission, which this plugin is not granted/);
  await driver.createNetwork("n", generic({ subnet: SUBNET }));
  assert.is(await endpoint(driver, "n", "a"), undefined);
});

test.run();
