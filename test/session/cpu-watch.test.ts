/** A plugin's share of the processor: what it spends beyond its calls is bounded; first it is slowed down, then ended. */

import { DEFAULTS } from "#dist/policy/limits.js";
import { CpuWatch } from "#dist/session/cpu-watch.js";
import { SESSION } from "#dist/session/limits.js";
import { assert, suite } from "../harness.js";
import { event, scripted } from "../kit/scripted.js";

const test = suite("host: the share of the processor");

function watch(percent = 50): { at(ms: number, busy: number): void; one: CpuWatch; readonly told: string[] } {
  const told: string[] = [];
  let busy = 0;
  const one = new CpuWatch({
    percent,
    busyMs: () => busy,
    throttle: (on) => told.push(on ? "slow" : "free"),
    end: () => told.push("end"),
  });
  return {
    one,
    told,
    at: (ms, now) => {
      busy = now;
      one.check(ms);
    },
  };
}

test("over its share for a window: slowed down; for another: ended", () => {
  const { at, told } = watch();
  for (let s = 1; s <= 5; s++) at(s * 1000, s * 1000);
  assert.equal(told, []);
  at(6000, 6000);
  assert.equal(told, ["slow"]);
  for (let s = 7; s <= 15; s++) at(s * 1000, s * 1000);
  assert.equal(told, ["slow"]);
  at(6000 + SESSION.cpuWindowMs, 16_000);
  assert.equal(told, ["slow", "end"]);
});

test("back within it: free again", () => {
  const { at, told } = watch();
  for (let s = 1; s <= 6; s++) at(s * 1000, s * 1000);
  for (let s = 7; s <= 12; s++) at(s * 1000, 6000);
  assert.equal(told, ["slow", "free"]);
});

test("what it spends while calls are in flight is not counted", () => {
  const { at, told, one } = watch(1);
  one.serving(true, 0);
  for (let s = 1; s <= 30; s++) at(s * 1000, s * 1000);
  one.serving(false, 30_000);
  at(31_000, 30_000);
  assert.equal(told, []);
  at(32_000, 31_000);
  assert.equal(told, ["slow"]);
});

test("its share is the lower of manifest and policy; the default is in the table", () => {
  assert.is(DEFAULTS.cpuPercent, 50);
});

test(
  "a plugin that burns in timers, each shorter than a block: slowed down, told, ended",
  async (t) => {
    const s = await scripted(t, { ids: ["burner"], manifest: { limits: { cpuPercent: 1 } } });
    const restarting = event(s.host, "plugin:restarting", "burner");
    const until = performance.now() + 40_000;
    let over = false;
    void restarting.then(() => {
      over = true;
    });
    while (!over && performance.now() < until) {
      await s.timer("spin", 150, "burner").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const { code, reason } = await restarting;
    assert.is(code, "ERR_PLUGIN_CPU");
    assert.match(reason ?? "", /may use 1 % \(limits\.cpuPercent\)/);
  },
  { ms: 60_000 },
);

test.run();
