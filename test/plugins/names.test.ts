/**
 * Names of links: short, spread, each one's own, also when two ids come to the same; and the files the drivers share.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig } from "#dist/index.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { generic, partOf, serve } from "./shipped.js";

const test = suite("plugins: names of links");

interface Names {
  hash64(text: string): bigint;
  endpointKey(nid: string, eid: string): string;
}

const names = (t: TestContext): Promise<Names> => partOf<Names>(t, "bridge", "names.ts");

test("the hash is spread, and every character counts", async (t) => {
  const { hash64, endpointKey } = await names(t);
  const seen = new Set<string>();
  for (let n = 0; n < 20_000; n++) seen.add(hash64(`network-${n}`).toString(36).slice(-11));
  assert.is(seen.size, 20_000);
  let flipped = 0;
  for (let n = 0; n < 500; n++) {
    const difference = hash64(`a${n}`) ^ hash64(`b${n}`);
    flipped += difference.toString(2).replaceAll("0", "").length;
  }
  assert.ok(Math.abs(flipped / 500 - 32) < 1, `${flipped / 500} of 64 bits change`);
  assert.is.not(endpointKey("ab", "c"), endpointKey("a", "bc"));
});

/** Two ids whose names are the same when there is room for five digits only. */
async function collision(t: TestContext): Promise<readonly [string, string]> {
  const { hash64 } = await names(t);
  const seen = new Map<string, string>();
  for (let n = 0; ; n++) {
    const id = `net${n}`;
    const digits = hash64(id).toString(36).padStart(13, "0").slice(-5);
    const other = seen.get(digits);
    if (other !== undefined) return [other, id];
    seen.set(digits, id);
  }
}

test("two ids that come to the same name have links of their own, through restarts in any order", async (t) => {
  const [one, two] = await collision(t);
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

test("files that both drivers have are the same: a plugin can load none but its own", async () => {
  for (const file of ["addresses.ts", "errors.ts", "macs.ts", "names.ts", "pool.ts", "subnets.ts"]) {
    const [bridge, macvlan] = await Promise.all(
      ["bridge", "macvlan"].map((driver) => readFile(join(REPO, "plugins", driver, file), "utf8")),
    );
    assert.is(macvlan, bridge, `${file}: copy the change to the other driver`);
  }
});

test.run();
