/** What one plugin has of the platform's own thread: a burst at once, a share for ever; what is more waits, or is a flood. */
import { HostTime } from "#dist/permissions/host-time.js";
import { TIMES } from "#dist/protocol/limits.js";
import { assert, suite } from "../../harness.js";
import { house } from "../platform/house.js";

const test = suite("host: time on the platform's own thread");

const { hostBurst, hostShare, hostDebt } = TIMES;

test("a burst is free; what is more waits until its share has paid for it", async () => {
  const time = new HostTime();
  time.spend(hostBurst - 1);
  assert.is(time.wait, 0);
  assert.is(time.owedMs, 0);
  time.spend(11);
  const wait = 10 / hostShare;
  assert.ok(time.wait > 0 && time.wait <= wait, `${time.wait}`);
  const began = performance.now();
  await time.free();
  assert.is(time.wait, 0);
  assert.ok(performance.now() - began > wait / 2, `${performance.now() - began}`);
  assert.ok(time.owedMs > wait / 2, `${time.owedMs}`);
});

test("what its work costs is measured, also of work that throws", () => {
  const time = new HostTime();
  const busy = (): never => {
    for (const end = performance.now() + hostBurst + 5; performance.now() < end; );
    throw new Error("no");
  };
  assert.throws(() => time.charge(busy), "no");
  assert.ok(time.wait > 0);
});

test("what was asked of it never becomes a flood", () => {
  const time = new HostTime();
  for (let i = 0; i < 100; i++) time.spend(hostDebt);
  assert.is(time.overdrawn, false);
  assert.ok(time.wait > 0);
});

test("far ahead of its share, unasked, is a flood", () => {
  const time = new HostTime();
  time.spendUnasked(hostDebt - 100);
  assert.is(time.overdrawn, false);
  time.spendUnasked(1000);
  assert.is(time.overdrawn, true);
});

test("several who take much have one share together, for as long as they do", async () => {
  const forgotten = () => new Promise((resolve) => setTimeout(resolve, TIMES.hostMemory + 10));
  // Those of the tests before.
  await forgotten();
  const [one, other] = [new HostTime(), new HostTime()];
  one.spend(hostBurst + 10);
  const alone = one.wait;
  assert.ok(alone <= 10 / hostShare, `${alone}`);
  other.spend(hostBurst + 10);
  assert.ok(one.wait > 1.5 * alone, `${one.wait}, alone ${alone}`);
  await forgotten();
  one.spend(hostBurst + 10);
  assert.ok(one.wait <= 10 / hostShare, `${one.wait}`);
});

test("what several sent by themselves is a flood the sooner", async () => {
  const times = [new HostTime(), new HostTime(), new HostTime(), new HostTime()];
  // A little less than the share of one, each.
  const flooded = (): boolean => times.some((one) => one.overdrawn);
  for (const end = performance.now() + 10_000; !flooded() && performance.now() < end; ) {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const one of times) one.spendUnasked(0.95 * hostShare * (performance.now() - began));
  }
  assert.ok(flooded());
});

const ASKS = `
export async function init(callback, { store }) {
  const many = {};
  for (let n = 0; n < 7000; n++) many[((n * 7919) % 7000).toString(36).padStart(3, "z")] = 0;
  await store.set("k", many);
  const got = [];
  await callback.registerDriver("asks", {
    type: () => "asks", config() {}, deleteNetwork() {}, createEndpoint() {}, deleteEndpoint() {}, join() {}, leave() {},
    createNetwork() {
      for (let n = 0; n < 40; n++) store.compareAndSet("k", null, n).then(() => got.push(n));
    },
    endpointOperInfo: () => ({ got }),
  }, { scope: "local" });
}`;

test("requests that had to wait are answered all, in their order; others' calls are not held up", async (t) => {
  const { open } = await house(t, { "asks.js": ASKS, "good.js": ASKS.replaceAll('"asks"', '"good"') });
  const host = await open();
  const [asks, good] = [host.driver("asks"), host.driver("good")];
  const { EndpointConfig } = await import("#dist/index.js");
  await asks.createNetwork("n");
  await asks.createEndpoint("n", "e", new EndpointConfig());
  let slowest = 0;
  let calls = 0;
  for (;;) {
    const began = performance.now();
    await good.createEndpoint("n", `e${calls}`, new EndpointConfig()).catch(() => {});
    slowest = Math.max(slowest, performance.now() - began);
    calls++;
    const { got } = (await asks.endpointOperInfo("n", "e")) as { readonly got: readonly number[] };
    assert.equal(
      got,
      got.map((_, n) => n),
    );
    if (got.length === 40) break;
  }
  // All at once they would take some hundred milliseconds, and nothing beside them.
  assert.ok(calls > 5, `${calls} calls`);
  assert.ok(slowest < 250, `${slowest} ms`);
});

test("several that ask without end leave the thread to others", async (t) => {
  const endless = ASKS.replace(/for \(let n = 0; n < 40.*/, "for (let n = 0; n < 64; n++) again();").replace(
    "const got = [];",
    'const got = []; const again = () => store.compareAndSet("k", null, 1).then(again, () => {});',
  );
  const names = ["a", "b", "c", "d"];
  const files = names.map((name) => [`${name}.js`, endless.replaceAll('"asks"', `"${name}"`)]);
  const { open } = await house(t, Object.fromEntries(files));
  const host = await open();
  for (const name of names) await host.driver(name).createNetwork("n");
  // They have used up what they may at once.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = performance.eventLoopUtilization();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const { utilization } = performance.eventLoopUtilization(before);
  assert.ok(utilization > hostShare / 2 && utilization < 0.8, `${utilization}`);
});

test.run();
