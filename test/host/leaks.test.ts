/** A thousand rounds of loading and unloading through the public API, half of them ended by a spin: nothing adds up. */

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createPluginHost, type DriverError, type PluginHost } from "bulkhead";
import { releaseBundler } from "#dist/bundler/bundle.js";
import { LEAK_ROUNDS as ROUNDS } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { idle } from "../kit/process.js";

const test = suite("leaks");
/** From this round on nothing may add up. */
const EARLY = Math.min(100, Math.ceil(ROUNDS / 4));
/** The slope of resident memory is taken over so many of the last rounds, a sample every 20. */
const WINDOW = ROUNDS / 2;
const MOST_A_ROUND = 12 * 1024;
/** A few rounds are all warm-up, which is not a slope: they may add so many bytes, far less than one worker each. */
const MOST_IN_FEW = (rounds: number): number => (32 + rounds) * 1_048_576;

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

/** What the process holds once nothing is under way: threads end in the background, and a spare bundler may have started or not. */
async function sample(): Promise<Sample> {
  await releaseBundler();
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

/** Describes what has added up since the earlier sample. `memory`: bytes of resident memory that may have been added. */
function added(early: Sample, late: Sample, memory = Number.POSITIVE_INFINITY): readonly string[] {
  const most: Readonly<Record<keyof Sample, number>> = {
    fds: early.fds + 1,
    threads: early.threads + 1,
    resources: early.resources + 1,
    listeners: early.listeners,
    heap: early.heap + 2_000_000,
    rss: early.rss + memory,
  };
  const names = Object.keys(most) as (keyof Sample)[];
  return names.filter((name) => late[name] > most[name]).map((name) => `${name}: ${early[name]} → ${late[name]}`);
}

/** Samples until nothing has added up, for half a minute at most: on a busy machine threads take their time to end. */
async function settled(early: Sample, memory: number | undefined): Promise<readonly [Sample, readonly string[]]> {
  const end = performance.now() + 30_000;
  for (;;) {
    const late = await sample();
    const left = added(early, late, memory);
    if (left.length === 0 || performance.now() > end) return [late, left];
  }
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
    let early = await sample();
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
      if (round === EARLY) early = await sample();
      if (round % 20 === 0) {
        collect();
        memory.push([round, process.memoryUsage().rss]);
      }
      if (round === last && ROUNDS >= 1000 && last < 2 * ROUNDS && perRound() >= MOST_A_ROUND) last += WINDOW;
    }
    const few = ROUNDS < 1000;
    const [late, left] = await settled(early, few ? MOST_IN_FEW(last - EARLY) : undefined);
    console.log(`NOTE ${round - 1} rounds: ${JSON.stringify({ early, late })}`);
    assert.equal(left, []);
    if (few) return;
    console.log(`NOTE resident memory, last ${WINDOW} rounds: ${(perRound() / 1024).toFixed(2)} KiB a round`);
    assert.ok(perRound() < MOST_A_ROUND, `resident memory grows by ${perRound()} bytes a round`);
  },
  { ms: 18 * 60_000 },
);

test.run();
