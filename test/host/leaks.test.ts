/** A thousand rounds of loading and unloading through the public API, half of them ended by a spin: nothing adds up. */

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createPluginHost, type DriverError, type PluginHost } from "bulkhead";
import { LEAK_ROUNDS as ROUNDS } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { idle } from "../kit/process.js";

const test = suite("leaks");
/** The slope of resident memory is taken over so many of the last rounds, a sample every 20. */
const WINDOW = ROUNDS / 2;
const MOST_A_ROUND = 12 * 1024;

const PLUGIN = plugin("leak", { methods: "createNetwork(nid, options) { if (options.spin) for (;;); }," });

interface Sample {
  readonly fds: number;
  readonly threads: number;
  readonly resources: number;
  readonly listeners: number;
  readonly heap: number;
  readonly rss: number;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What the process holds once nothing is under way: threads end in the background. */
async function sample(): Promise<Sample> {
  await idle();
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return {
    fds: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
    resources: process.getActiveResourcesInfo().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    heap: process.memoryUsage().heapUsed,
    rss: process.memoryUsage().rss,
  };
}

/** Least squares: what each round adds. */
function slope(points: readonly (readonly [number, number])[]): number {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return above / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

/** Its worker spins past the deadline, and is replaced. On a busy machine a call may not even have begun by then: it is made again. */
async function spin(host: PluginHost): Promise<void> {
  for (;;) {
    let resolve = (): void => {};
    const restarted = new Promise<void>((done) => {
      resolve = done;
    });
    host.once("plugin:restarted", resolve);
    const code = await host
      .driver("leak")
      .createNetwork("n", { spin: true })
      .then(
        () => assert.unreachable("a spin was answered"),
        (error: DriverError) => error.code,
      );
    if (code !== "ERR_DRIVER_BUSY") return restarted;
    host.off("plugin:restarted", resolve);
  }
}

test(
  `${ROUNDS} rounds`,
  async (t) => {
    const plugins = await t.folder();
    writeFileSync(join(plugins, "leak.js"), PLUGIN);
    const host = await createPluginHost({
      plugins,
      isolation: "thread",
      logger: SILENT,
      policy: { plugins: { leak: { timeouts: { createNetwork: 40 } } } },
    });
    t.cleanup(() => host.close());
    let early: Sample | undefined;
    const memory: [number, number][] = [];
    const perRound = (): number => slope(memory.slice(-WINDOW / 20));
    // The allocator keeps what it was given back, and gives it away in steps of megabytes: one window may show a rise where none
    // is. What leaks rises in every window: where the last one rose, there is one more half of the rounds, twice at most.
    let last = ROUNDS;
    let round = 1;
    for (; round <= last; round++) {
      if (round % 2 === 0) {
        await spin(host);
        // The network of unknown outcome is undone before anything else is asked about its id.
        await host
          .driver("leak")
          .deleteNetwork("n")
          .catch(() => {});
      }
      await host.unload("leak");
      await host.reload("leak");
      if (round === Math.min(100, ROUNDS / 4)) early = await sample();
      if (round % 20 === 0) {
        collect();
        memory.push([round, process.memoryUsage().rss]);
      }
      if (round === last && ROUNDS >= 1000 && last < 2 * ROUNDS && perRound() >= MOST_A_ROUND) last += WINDOW;
    }
    const late = await sample();
    assert.ok(early);
    console.log(`NOTE ${round - 1} rounds: ${JSON.stringify({ early, late })}`);
    assert.ok(late.fds <= early.fds + 1, `file descriptors: ${early.fds} → ${late.fds}`);
    assert.ok(late.threads <= early.threads + 1, `threads: ${early.threads} → ${late.threads}`);
    assert.ok(late.resources <= early.resources + 1, `handles: ${early.resources} → ${late.resources}`);
    assert.is(late.listeners, early.listeners, "listeners on process");
    assert.ok(late.heap < early.heap + 2_000_000, `heapUsed: ${early.heap} → ${late.heap}`);
    console.log(`NOTE resident memory, last ${WINDOW} rounds: ${(perRound() / 1024).toFixed(2)} KiB a round`);
    // A few rounds are all warm-up: only the long run can show a slope.
    if (ROUNDS >= 1000) assert.ok(perRound() < MOST_A_ROUND, `resident memory grows by ${perRound()} bytes a round`);
  },
  { ms: 18 * 60_000 },
);

test.run();
