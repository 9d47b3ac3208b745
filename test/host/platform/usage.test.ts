/** `counters` of a plugin: how long its drivers took, the CPU time and the memory it used. */

import { assert, rejection, suite, until } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { house, next, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: usage");

const WORK = `createNetwork(nid) {
  const end = Date.now() + (nid === "slow" ? 150 : 0);
  while (Date.now() < end);
  if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); }
},`;
const CLOCK = JSON.stringify({ permissions: { clock: true } });

test("latency: every reply counts, and one that was slow is the maximum", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: WORK }), "a.plugin.json": CLOCK });
  const host = await open({ policy: { plugins: { a: { grant: { clock: true } } } } });
  for (const nid of ["1", "2", "slow", "3", "4"]) await host.driver("a").createNetwork(nid);
  const { count, p50, p99, max } = row(host, "a").counters.latency;
  assert.is(count, 6, "config and five networks");
  assert.ok(p50 > 0 && p50 < 150, `p50 ${p50}`);
  assert.ok(max >= 149 && max < 5000, `max ${max}`);
  assert.ok(p99 >= 149 && p99 <= max, `p99 ${p99}`);
});

test("CPU time: that of workers that have ended is kept", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: WORK }), "a.plugin.json": CLOCK });
  const host = await open({ policy: { plugins: { a: { grant: { clock: true } } } } });
  for (let n = 0; n < 3; n++) {
    await host.driver("a").createNetwork("slow");
    await host.driver("a").deleteNetwork("slow");
  }
  assert.ok(row(host, "a").counters.cpuMs >= 400, `${row(host, "a").counters.cpuMs} ms`);
  const restarted = next(host, "plugin:restarted");
  await rejection(host.driver("a").createNetwork("crash"));
  await restarted;
  assert.ok(row(host, "a").counters.cpuMs >= 400, `${row(host, "a").counters.cpuMs} ms after a crash`);
  assert.is(row(host, "a").counters.memoryMb, undefined, "under thread it is the platform's");
});

test(
  "behind the wall: memory and CPU time of its process",
  async (t) => {
    const { open } = await house(t, { "a.js": plugin("a", { methods: WORK }), "a.plugin.json": CLOCK });
    const host = await open({ isolation: "dedicated", policy: { plugins: { a: { grant: { clock: true } } } } });
    await host.driver("a").createNetwork("slow");
    const counters = await until(() => {
      const { cpuMs, memoryMb = 0 } = row(host, "a").counters;
      return cpuMs > 0 && memoryMb > 0 ? { cpuMs, memoryMb } : undefined;
    }, "both to be known");
    assert.ok(counters.cpuMs >= 100 && counters.memoryMb >= 20, JSON.stringify(counters));
  },
  { ms: 30_000, needs: noBubblewrap },
);

test.run();
