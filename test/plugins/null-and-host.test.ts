/** The null and host drivers: libnetwork's rules, and one network only, through restarts too. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, JoinConfig, type PluginHost } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { hear, house, REPO, row } from "../kit/host.js";

const test = suite("plugins/null and plugins/host");

async function shipped(t: TestContext): Promise<PluginHost> {
  const place = await house(t);
  for (const name of ["null", "host"])
    await cp(join(REPO, "plugins", name), join(place.plugins, name), { recursive: true });
  return place.open();
}

test("both load with no authority at all", async (t) => {
  const host = await shipped(t);
  for (const name of ["null", "host"]) {
    const { state, version, drivers, grant } = row(host, name);
    assert.equal({ state, version, drivers }, { state: "running", version: "1.0.0", drivers: [name] });
    assert.equal(grant, { scope: "local", permissions: {} });
    assert.is(host.driver(name).type(), name);
  }
});

test("one network: a second is Forbidden, and so is deleting the first", async (t) => {
  const host = await shipped(t);
  for (const name of ["null", "host"]) {
    const driver = host.driver(name);
    await driver.createNetwork("first");
    const second = await rejection(driver.createNetwork("second"));
    assert.is(second.kind, "Forbidden");
    assert.is(second.message, `only one instance of "${name}" network is allowed`);
    const gone = await rejection(driver.deleteNetwork("first"));
    assert.is(gone.kind, "Forbidden");
    assert.is(gone.message, `network of type "${name}" cannot be deleted`);
    assert.is((await rejection(driver.createNetwork("first"))).code, "ERR_NETWORK_EXISTS");
  }
});

test("endpoints and joins are accepted, and nothing is filled in", async (t) => {
  const host = await shipped(t);
  for (const name of ["null", "host"]) {
    const driver = host.driver(name);
    await driver.createNetwork("first");
    const endpoint = new EndpointConfig();
    await driver.createEndpoint("first", "e", endpoint);
    assert.equal(endpoint.interfaces(), []);
    assert.equal(await driver.endpointOperInfo("first", "e"), {});
    const joined = new JoinConfig([]);
    await driver.join("first", "e", "/sandbox", joined);
    assert.equal([joined.gateway(), joined.gatewayIPv6(), joined.staticRoutes()], ["", "", []]);
    await driver.leave("first", "e");
    await driver.deleteEndpoint("first", "e");
  }
});

test("a newer version takes the one network over, and still refuses a second", async (t) => {
  const host = await shipped(t);
  const heard = hear(host);
  for (const name of ["null", "host"]) {
    const driver = host.driver(name);
    await driver.createNetwork("first");
    await host.reload(name);
    await driver.createEndpoint("first", "e", new EndpointConfig());
    assert.is((await rejection(driver.createNetwork("second"))).kind, "Forbidden");
  }
  assert.equal(
    heard.map(({ name }) => name),
    ["plugin:loaded", "plugin:loaded"],
  );
});

test.run();
