/** Stopping a plugin: by the policy it drains, by force it leaves what it made; an orphan does not accept new networks either. */
import { writeFile } from "node:fs/promises";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { type House, house, next, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: a plugin that is stopped");

async function running(t: TestContext): Promise<{
  place: House;
  host: Awaited<ReturnType<House["open"]>>;
  policy(entry: object): Promise<void>;
  open(): ReturnType<House["open"]>;
}> {
  const place = await house(t, { "a.js": plugin("a") });
  const file = place.path("policy.json");
  const policy = (entry: object): Promise<void> => writeFile(file, JSON.stringify({ plugins: { a: entry } }));
  await policy({});
  const open = () => place.open({ policy: file, dataDir: place.path("data"), watch: true });
  return { place, host: await open(), policy, open };
}

test('"enabled": false with networks: no new ones, the others serve until the last is deleted; then it is stopped', async (t) => {
  const { host, policy } = await running(t);
  const a = host.driver("a");
  await a.createNetwork("old");
  const loaded = next(host, "plugin:loaded");
  await policy({ enabled: false });
  await loaded;
  assert.is(row(host, "a").state, "orphaned");
  const refused = await rejection(a.createNetwork("new"));
  assert.is(refused.code, "ERR_PLUGIN_STOPPED");
  assert.match(refused.message, /does not accept new networks: the policy stops it/);
  const stopped = next(host, "plugin:stopped");
  await a.deleteNetwork("old");
  await stopped;
  assert.is(row(host, "a").state, "stopped");

  const back = next(host, "plugin:loaded");
  await policy({ enabled: true });
  await back;
  await a.createNetwork("new");
  await a.deleteNetwork("new");
});

test('"enabled": false from the start: not loaded without networks; with them it drains, over a restart of the host too', async (t) => {
  const { host, policy, open } = await running(t);
  await host.driver("a").createNetwork("old");
  await host.close();
  await policy({ enabled: false });
  const again = await open();
  assert.is(row(again, "a").state, "orphaned");
  assert.is((await rejection(again.driver("a").createNetwork("new"))).code, "ERR_PLUGIN_STOPPED");
  const stopped = next(again, "plugin:stopped");
  await again.driver("a").deleteNetwork("old");
  await stopped;
  await again.close();
  assert.is(row(await open(), "a").state, "stopped");
});

test("an orphan does not accept new networks", async (t) => {
  const { place, host } = await running(t);
  const a = host.driver("a");
  await a.createNetwork("old");
  const log = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (row(host, "a").state !== "orphaned") return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  await place.drop("a.js");
  await log;
  assert.is((await rejection(a.createNetwork("new"))).code, "ERR_PLUGIN_STOPPED");
  await a.deleteNetwork("old");
});

test("unload by force says what it leaves, and a reload serves it again", async (t) => {
  const { host } = await running(t);
  const a = host.driver("a");
  await a.createNetwork("old");
  assert.is((await rejection(host.unload("a"))).code, "ERR_PLUGIN_IN_USE");
  assert.equal(await host.unload("a", { force: true }), { networks: ["old"] });
  assert.is(row(host, "a").state, "stopped");
  await host.reload("a");
  await host.driver("a").deleteNetwork("old");
  assert.equal(await host.unload("a"), { networks: [] });
});

test.run();
