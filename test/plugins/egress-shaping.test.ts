/** The egress driver's rate, delay and loss: the options are those of `bridge`. */
import { EndpointConfig, type HostedDriver, type JsonObject } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { DRIVER_KINDS } from "../permissions/netlink/backends.js";
import { noRate } from "../permissions/traffic/backends.js";
import { generic, serve } from "./shipped.js";

const test = suite("plugins/egress with shapes");
const NETWORK = { subnet: "10.64.1.0/24", allow: "api.example.com:443" };

async function shapeOf(driver: HostedDriver, eid: string, options: JsonObject): Promise<unknown> {
  await driver.createEndpoint("n", eid, new EndpointConfig(), options);
  return (await driver.endpointOperInfo("n", eid)).shape;
}

for (const kind of DRIVER_KINDS)
  test(
    `${kind}: a network's shape is its endpoints' default, and an endpoint's own goes before it`,
    async (t) => {
      const { host } = await serve(t, "egress", kind, { traffic: {} });
      const driver = host.driver();
      await driver.createNetwork("n", generic({ ...NETWORK, rate: "20mbit", burst: "64kb" }));
      assert.equal(await shapeOf(driver, "a", {}), { rate: "20mbit", burst: "64kb" });
      assert.equal(await shapeOf(driver, "b", { rate: "5mbit" }), { rate: "5mbit", burst: "64kb" });
      const links = await host.links();
      const error = await rejection(shapeOf(driver, "c", { rate: "fast" }));
      assert.match(error.message, /option rate "fast"/);
      assert.equal(await host.links(), links, "links of an endpoint that was refused");
      for (const eid of ["a", "b"]) await driver.deleteEndpoint("n", eid);
      await driver.deleteNetwork("n");
    },
    { ms: 60_000, needs: kind === "kernel" && noRate },
  );

test("without the traffic permission, a shape is BadRequest", async (t) => {
  const { host } = await serve(t, "egress", "model");
  const error = await rejection(host.driver().createNetwork("n", generic({ ...NETWORK, rate: "20mbit" })));
  assert.is(error.kind, "BadRequest");
  assert.match(error.message, /option rate needs the traffic permission/);
});

test.run();
