/** The loops that measure: what they count is what was asked, and a stall is not passed over. */
import { closedLoop } from "#dist/load/closed-loop.js";
import { Histogram } from "#dist/load/histogram.js";
import { openLoop } from "#dist/load/open-loop.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("load: loops");
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("quantiles are within 0.8 % of the truth, from nanoseconds to minutes", () => {
  for (const scale of [1e-5, 1e-3, 1, 100]) {
    const histogram = new Histogram();
    for (let n = 1; n <= 10_000; n++) histogram.record(n * scale);
    for (const share of [0.5, 0.9, 0.99, 0.999, 1]) {
      const truth = share * 10_000 * scale * 1000;
      assert.ok(Math.abs(histogram.quantile(share) / truth - 1) < 0.008, `${share} of ${scale}`);
    }
    assert.ok(Math.abs(histogram.quantiles().max / (10_000 * scale * 1000) - 1) < 1e-9);
  }
  assert.ok(Number.isNaN(new Histogram().quantile(0.5)));
  const one = new Histogram();
  one.record(0);
  one.record(1e9);
  assert.is(one.count, 2);
});

test("closed loop: so many under way, never more, each request its own number", async () => {
  const seen = new Set<number>();
  let open = 0;
  let most = 0;
  const target = async (n: number): Promise<void> => {
    assert.not(seen.has(n));
    seen.add(n);
    most = Math.max(most, ++open);
    await soon();
    open--;
  };
  const { perSecond, latency, next } = await closedLoop(target, { inFlight: 16, ms: 100, first: 5 });
  assert.is(most, 16);
  const numbers = [...seen];
  assert.equal([numbers[0], numbers.at(-1), numbers.length], [5, next - 1, next - 5]);
  assert.ok(perSecond > 0 && latency.count > 0 && latency.count < seen.size);
});

test("closed loop: the first failure ends it", async () => {
  const target = async (n: number): Promise<void> => {
    await soon();
    if (n === 40) throw new Error("full");
  };
  assert.is((await rejection(closedLoop(target, { inFlight: 8, ms: 10_000 }))).message, "full");
});

test("open loop: what a stall keeps from being sent is late too", async () => {
  const STALL = 150;
  const target = async (n: number): Promise<void> => {
    // One request of 400 blocks the sender itself.
    if (n === 250) for (const end = performance.now() + STALL; performance.now() < end; );
  };
  const { latency, unanswered, next } = await openLoop(target, { perSecond: 1000, ms: 400 });
  assert.equal([latency.count, unanswered, next], [400, 0, 500]);
  // About 150 of 400 were to be sent meanwhile: a tenth of all waited for 100 ms and more.
  assert.ok(latency.p90 > 80_000, `${latency.p90} µs`);
  assert.ok(latency.max >= STALL * 1000);
});

test("open loop: at a moderate rate it sleeps between its requests, and is on time", async () => {
  const before = process.cpuUsage();
  const { latency } = await openLoop(() => Promise.resolve(), { perSecond: 500, ms: 800 });
  const { user, system } = process.cpuUsage(before);
  // It offers for a second, warm-up included; to turn the loop all the time would take all of it.
  assert.ok((user + system) / 1e6 < 0.6, `${(user + system) / 1e6} s of the processor`);
  assert.ok(latency.p50 < 1_000, `${latency.p50} µs late`);
});

test("open loop: what is never answered counts as waited for", async () => {
  const target = (n: number): Promise<void> => (n % 2 === 0 ? Promise.resolve() : new Promise(() => {}));
  const { latency, unanswered } = await openLoop(target, { perSecond: 100, ms: 100 });
  assert.equal([latency.count, unanswered], [10, 5]);
  assert.ok(latency.max > 1_500_000);
});

test("open loop: a failure is a failure", async () => {
  const target = (n: number): Promise<void> => (n === 3 ? Promise.reject(new Error("no")) : Promise.resolve());
  assert.is((await rejection(openLoop(target, { perSecond: 1000, ms: 1000 }))).message, "no");
});

test.run();
