/** What one plugin gets of the platform's own thread: a burst at once, then a permanent share; anything beyond waits, or is a flood. */

import { HostTime } from "#dist/permissions/host-time.js";
import { HOST_TIME } from "#dist/permissions/limits.js";
import { Dispatcher } from "#dist/session/dispatcher.js";
import { SESSION } from "#dist/session/limits.js";
import { assert, suite, until } from "../harness.js";
import { house } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host: time on the platform's own thread");

const { burstMs: hostBurst, share: hostShare, debtMs: hostDebt, loadMs: hostLoad } = HOST_TIME;

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

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("several who owe are given their share together, for as long as they do", async () => {
  const times = Array.from({ length: 5 }, () => new HostTime());
  const took = async (some: readonly HostTime[]): Promise<number> => {
    // What was owed before is paid.
    await sleep((times.length * 2 * hostBurst) / hostShare);
    for (const one of some) one.spend(hostBurst + 10);
    const began = performance.now();
    await Promise.all(some.map((one) => one.free()));
    return performance.now() - began;
  };
  const [all, alone] = [await took(times), await took(times.slice(1, 2))];
  assert.ok(all > 3 * alone, `${all}, alone ${alone}`);
});

test("while the thread has time for all, what is sent is not a flood", async () => {
  const times = Array.from({ length: 5 }, () => new HostTime()) as [HostTime, HostTime, ...HostTime[]];
  const [one, other] = times;
  for (const each of times) each.spend(100);
  one.spendUnasked(1.5 * hostDebt);
  assert.ok(one.overdrawn);
  await until(() => !one.overdrawn, "its share to be free");
  other.spend(hostLoad);
  assert.ok(one.overdrawn, "it has not been paid meanwhile");
  one.reduceDebt();
  assert.not(one.overdrawn);
  one.spend(hostBurst);
  assert.ok(one.wait > 0);
  one.close();
  assert.is(one.wait, 0);
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

const ASKS = plugin("asks", {
  start: `const { store } = powers;
  const many = {};
  for (let n = 0; n < 7000; n++) many[((n * 7919) % 7000).toString(36).padStart(3, "z")] = 0;
  await store.set("k", many);
  const got = [];`,
  methods: `createNetwork() {
      for (let n = 0; n < 40; n++) store.compareAndSet("k", null, n).then(() => got.push(n));
    },
    endpointOperInfo: () => ({ got }),`,
});

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
  await sleep(1000);
  const before = performance.eventLoopUtilization();
  await sleep(1000);
  const { utilization } = performance.eventLoopUtilization(before);
  assert.ok(utilization > hostShare / 2 && utilization < 0.8, `${utilization}`);
});

test("a plugin that keeps asking for what is refused is ended for flooding", () => {
  const violations: string[] = [];
  const refused: string[] = [];
  const time = new HostTime();
  const dispatcher = new Dispatcher({
    request: () => null,
    notice: () => true,
    send: (text) => refused.push(text),
    violate: (code) => violations.push(code),
    time,
  });
  const ask = (value: string): void =>
    dispatcher.request({ id: "a", type: "APPLY", path: ["store.get"], argumentList: [{ type: "RAW", value }] });
  time.spend(hostDebt);
  const part = "x".repeat(SESSION.requestChars / 16);
  for (let n = 0; n < 16; n++) ask(part);
  assert.match(refused.join(), /ERR_PERMISSION_LIMIT.*await their replies/);
  for (let n = 0; n < 1_000_000 && violations.length === 0; n++) ask(part);
  dispatcher.stop();
  assert.equal(violations, ["ERR_FLOOD"]);
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

for (const [what, together] of [
  ["at the same time", true],
  ["taking turns", false],
] as const) {
  test(`what several send by themselves, ${what}, each less than a share: a flood`, async () => {
    const times = Array.from({ length: 4 }, () => new HostTime());
    const flooded = (): boolean => times.some((one) => one.overdrawn);
    let turn = 0;
    for (const end = performance.now() + 20_000; !flooded() && performance.now() < end; ) {
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, together ? 20 : 300));
      const ms = 0.95 * hostShare * (performance.now() - began);
      if (together) for (const one of times) one.spendUnasked(ms);
      else times[turn++ % 4]?.spendUnasked(4 * ms);
    }
    assert.ok(flooded());
  });
}

test.run();
