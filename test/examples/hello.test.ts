/** examples/hello: dropped into a plugins folder it loads, hands out addresses, and survives a restart of its worker. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { house, REPO, row } from "../kit/host.js";

const test = suite("examples/hello");

test("a whole life of a network, its endpoints and joins", async (t) => {
  const place = await house(t);
  await cp(join(REPO, "examples/hello/hello.js"), join(place.plugins, "hello.js"));
  const host = await place.open();
  assert.is(row(host, "hello").state, "running");
  const driver = host.driver("hello");
  await driver.createNetwork("n", { "com.docker.network.generic": { subnet: "10.1.0.0/29" } });
  const seen: string[] = [];
  for (const eid of ["one", "two", "three", "four", "five"]) {
    const endpoint = new EndpointConfig();
    await driver.createEndpoint("n", eid, endpoint);
    seen.push(endpoint.interfaces()[0]?.address() ?? "");
  }
  assert.equal(
    seen,
    [2, 3, 4, 5, 6].map((last) => `10.1.0.${last}/29`),
  );
  const full = await rejection(driver.createEndpoint("n", "six", new EndpointConfig()));
  assert.equal([full.kind, full.message], ["Forbidden", "network n has no free address"]);
  assert.equal(await driver.endpointOperInfo("n", "one"), { address: "10.1.0.2/29" });

  const joined = new JoinConfig();
  await driver.join("n", "one", "/sandbox", joined);
  assert.is(joined.gateway(), "10.1.0.1");
  assert.equal(
    joined.interfaceNames().map((one) => [one.srcName(), one.dstPrefix()]),
    [["", ""]],
  );
  assert.equal(joined.staticRoutes()[0], { destination: "10.1.0.0/29", routeType: 1, nextHop: "", interfaceID: 0 });

  await host.reload("hello");
  assert.equal(await driver.endpointOperInfo("n", "five"), { address: "10.1.0.6/29" });
  await driver.leave("n", "one");
  for (const eid of ["one", "two", "three", "four", "five"]) await driver.deleteEndpoint("n", eid);
  await driver.deleteNetwork("n");
  assert.is(
    (await rejection(driver.createNetwork("m", { "com.docker.network.generic": { subnet: "x" } }))).kind,
    "BadRequest",
  );
});

test.run();
