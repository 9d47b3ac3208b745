/** The charts' data: values of each interval, from counters that may begin again. */
import type { PluginRow } from "#dist/control/types.js";
import { History } from "#dist/page/history.js";
import { PAGE } from "#dist/page/limits.js";
import { assert, suite } from "../harness.js";

const test = suite("page/history");

function row(id: string, count: number, total: number, cpuMs: number, memoryMb: number | null): PluginRow {
  const latency = { count, total, p50: 0, p99: 0, max: 0 };
  return { id, latency, cpuMs, memoryMb } as PluginRow;
}

test("mean latency, CPU share and memory of each interval", () => {
  const history = new History();
  assert.equal(history.reply(), { times: [], plugins: {} });
  history.add([row("a", 10, 100, 1000, 50)], 100);
  history.add([row("a", 20, 150, 2000, 60), row("b", 0, 0, 0, null)], 105);
  history.add([row("a", 20, 150, 2000, 70), row("b", 1, 7, 5, 1)], 110);
  const { times, plugins } = history.reply();
  assert.equal(times, [105, 110]);
  assert.equal(plugins.a, { latency: [5, null], cpu: [20, 0], memory: [60, 70] });
  assert.equal(plugins.b, { latency: [null, 7], cpu: [null, 0.1], memory: [null, 1] });
});

test("a plugin that was loaded again has a gap, not a negative value; one that is gone has no series", () => {
  const history = new History();
  history.add([row("a", 10, 100, 1000, 50), row("b", 0, 0, 0, 1)], 0);
  history.add([row("a", 1, 5, 10, 50)], 5);
  assert.equal(history.reply().plugins, { a: { latency: [null], cpu: [null], memory: [50] } });
});

test("it keeps a bounded number of samples and of plugins", () => {
  const history = new History();
  const many = Array.from({ length: PAGE.charts + 5 }, (_, at) => row(`p${at}`, 0, 0, 0, 1));
  for (let time = 0; time < PAGE.samples * 2; time++) history.add(many, time);
  const { times, plugins } = history.reply();
  assert.equal(
    [times.length, times.at(-1), Object.keys(plugins).length],
    [PAGE.samples, PAGE.samples * 2 - 1, PAGE.charts],
  );
});

test.run();
