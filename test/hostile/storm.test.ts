/**
 * A storm: twelve hostile plugins do everything of classes D, E and F at once, as fast as they may come back, and twelve good ones
 * beside them answer a hundred calls a second each: every one of them, and rightly.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { type PluginHost, startHost } from "#dist/host/plugin-host.js";
import { STORM_SECONDS as SECONDS } from "../amounts.js";
import { assert, suite, type TestContext, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { SILENT } from "../kit/logger.js";
import { attackOn, loadAgain, prepareAttacks } from "./storm/attackers.js";
import { AT_LOAD, hostilePlugin, NAMES } from "./storm/attacks.js";
import { furnish, goodPlugin } from "./storm/good.js";
import { openLoop, quantile, type Tally } from "./storm/open-loop.js";

/** Calls a second to each good plugin. */
const RATE = 100;
const MIB = 1_048_576;
/** The breaker is open for so long, in milliseconds: shorter than the default, so that more attacks go on. */
const BREAKER_MS = 2_000;
/** So long do attacks go on after the good plugins' calls, until each has come and has had its end. */
const AFTER_MS = 60_000;
/** A good plugin's deadline: with one slow processor for all, an answer has taken four seconds. */
const PATIENCE_MS = 20_000;

const GOOD = Array.from({ length: 12 }, (_, n) => `good${n}`);
const HOSTILE = Array.from({ length: 11 }, (_, n) => `hostile${n}`);

const test = suite("hostile: the storm");

async function open(t: TestContext, files: Readonly<Record<string, string>>): Promise<PluginHost> {
  const folder = join(await t.folder(), "plugins");
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, `${name}.js`), text);
  const short = { timeouts: { default: 1000, init: 1500 } };
  const plugins = Object.fromEntries([
    ...[...HOSTILE, "atload"].map((name) => [name, short]),
    ...GOOD.map((name) => [name, { timeouts: { default: PATIENCE_MS } }]),
  ]);
  const host = await startHost({ plugins: folder, policy: { plugins }, logger: SILENT }, { breakerOpen: BREAKER_MS });
  t.cleanup(() => host.close());
  return host;
}

const sources = (names: readonly string[], source: (name: string) => string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, source(name)]));

async function driversOf(host: PluginHost): Promise<Map<string, HostedDriver>> {
  const drivers = new Map(GOOD.map((name) => [name, host.driver(name)]));
  await Promise.all([...drivers.values()].map(furnish));
  return drivers;
}

function allAnswered(tally: Tally, seconds: number): void {
  const codes = new Map<string, number>();
  for (const one of tally.lost) {
    const code = /ERR_\w+/.exec(one)?.[0] ?? "?";
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  const some = (list: readonly string[]): string => list.slice(0, 3).join("\n");
  assert.equal(tally.wrong.length, 0, `wrong: ${tally.wrong.length}\n${some(tally.wrong)}`);
  assert.equal(tally.lost.length, 0, `lost: ${JSON.stringify([...codes])}\n${some(tally.lost)}`);
  assert.is(tally.sent, GOOD.length * RATE * seconds);
  assert.is(tally.answered, tally.sent);
}

test(
  "no answer of twelve good plugins is wrong and none is lost while twelve others attack",
  async (t) => {
    const calm = await open(t, sources(GOOD, goodPlugin));
    const alone = Math.min(10, Math.ceil(SECONDS / 3));
    const before = await openLoop(await driversOf(calm), RATE, alone);
    allAnswered(before, alone);
    await calm.close();

    const host = await open(t, {
      ...sources(GOOD, goodPlugin),
      ...sources(HOSTILE, hostilePlugin),
      atload: AT_LOAD,
    });
    const drivers = await driversOf(host);
    for (const name of HOSTILE) await prepareAttacks(host, name);
    let largest = 0;
    const watch = setInterval(() => {
      largest = Math.max(largest, process.memoryUsage.rss());
    }, 100);
    t.cleanup(() => clearInterval(watch));
    const over = new AbortController();
    t.cleanup(() => over.abort());
    const done = new Map<string, number>();
    const attackers = HOSTILE.map((name, n) =>
      attackOn(host, name, Math.floor((n * NAMES.length) / HOSTILE.length), over.signal, done),
    );
    const loads = loadAgain(host, "atload", over.signal);
    const tally = await openLoop(drivers, RATE, SECONDS);
    // On a busy machine fewer attacks fit into the time: those that are still to come are waited for.
    const due = (): readonly string[] => NAMES.filter((name) => !done.has(name));
    await until(() => due().length === 0, "every attack to have come", AFTER_MS).catch((error: unknown) => {
      throw new Error(`attacks that never came: ${due().join(", ")}`, { cause: error });
    });
    const restarts = (names: readonly string[]): number =>
      host
        .plugins()
        .filter(({ name }) => names.includes(name))
        .reduce((sum, { counters }) => sum + counters.restarts, 0);
    await until(() => restarts(HOSTILE) >= HOSTILE.length, "as many restarts as hostile plugins", AFTER_MS);
    over.abort();
    await Promise.all(attackers);
    const p99 = [quantile(before, 0.99), quantile(tally, 0.99)] as const;
    console.log(
      `\nNOTE storm of ${SECONDS} s: ${tally.answered} of ${tally.sent} calls answered rightly; p99 ${p99[1].toFixed(1)} ms, alone ${p99[0].toFixed(1)} ms: ${(p99[1] / p99[0]).toFixed(1)} times; longest ${quantile(tally, 1).toFixed(0)} ms; the platform's resident memory at most ${Math.round(largest / MIB)} MiB; ${[...done.values()].reduce((sum, one) => sum + one, 0)} attacks, ${await loads} loads; restarts: hostile ${restarts(HOSTILE)}, good ${restarts(GOOD)}`,
    );
    allAnswered(tally, SECONDS);
    assert.ok(largest < 512 * MIB, `the platform's resident memory: ${Math.round(largest / MIB)} MiB`);
  },
  { ms: (2 * SECONDS + 120) * 1000 + 2 * AFTER_MS, needs: noBubblewrap },
);

test.run();
