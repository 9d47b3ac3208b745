/** The bridge's links keep names of their own when the hashes of two networks' ids collide. */
import { hash64 } from "#dist/addressing/hash.js";
import { EndpointConfig } from "#dist/index.js";
import { assert, suite } from "../harness.js";
import { generic, serve } from "./shipped.js";

const test = suite("plugins: names of links");

/** Two ids whose names are the same when there is room for five digits only. */
function collision(): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let n = 0; ; n++) {
    const id = `net${n}`;
    const digits = hash64(id).toString(36).padStart(13, "0").slice(-5);
    const other = seen.get(digits);
    if (other !== undefined) return [other, id];
    seen.set(digits, id);
  }
}

test("two ids whose hashes collide have links of their own, through restarts in any order", async (t) => {
  const [one, two] = collision();
  const { host } = await serve(t, "bridge", "model", { limits: { prefix: "longname" } });
  const driver = host.driver();
  const bridgeOf = async (nid: string): Promise<unknown> => (await driver.endpointOperInfo(nid, "e")).bridge;
  const make = async (nid: string, n: number): Promise<void> => {
    await driver.createNetwork(nid, generic({ subnet: `10.64.${n}.0/24` }));
    await driver.createEndpoint(nid, "e", new EndpointConfig());
  };
  await make(one, 1);
  await make(two, 2);
  const [first, second] = [await bridgeOf(one), await bridgeOf(two)];
  assert.is.not(first, second);
  for (const name of [first, second]) assert.match(String(name), /^longname-b[0-9a-z]{5}$/);
  await host.kill();
  assert.equal([await bridgeOf(one), await bridgeOf(two)], [first, second]);

  // The first goes and comes back: after a restart it is replayed behind the second, whose name it once had.
  await driver.deleteEndpoint(one, "e");
  await driver.deleteNetwork(one);
  await host.kill();
  assert.is(await bridgeOf(two), second);
  await make(one, 1);
  assert.is(await bridgeOf(one), first);
  await host.kill();
  assert.equal([await bridgeOf(one), await bridgeOf(two)], [first, second]);
  for (const nid of [one, two]) {
    await driver.deleteEndpoint(nid, "e");
    await driver.deleteNetwork(nid);
  }
  assert.equal(await host.links(), ["lo"]);
});

test.run();
