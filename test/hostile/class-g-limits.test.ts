/**
 * What isolation by threads cannot prevent, in bounded form: decoding and memory lie before any listener. Nothing is executed,
 * thrown or corrupted; the figures are printed, SECURITY.md names them. And item 56: lies in the shared cell.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { plugin } from "../kit/plugins.js";
import type { Isolation, Outcome } from "./case.js";
import { outcomeSeen } from "./outcomes.js";
import { attack, malloryInfo, type OwnedHost, ownedHost, unharmed } from "./owned-host.js";
import { watchPlatform } from "./platform-watch.js";
import { chosenIsolations } from "./run-class.js";

const MIB = 1_048_576;

/** The longest the host's loop stood still while `body` ran, in milliseconds. */
async function stall(body: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await body();
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.disable();
  return delay.max / 1e6;
}

for (const isolation of chosenIsolations()) runUnder(isolation);

function runUnder(isolation: Isolation): void {
  const walled = isolation !== "thread";
  const test = suite(`hostile: class G, the limits of threads (${isolation})`);
  const needs = walled ? noBubblewrap : undefined;
  let watch: ReturnType<typeof watchPlatform> | undefined;
  let shared: Promise<OwnedHost> | undefined;
  const owned = (): Promise<OwnedHost> => {
    if (walled) watch ??= watchPlatform();
    shared ??= ownedHost(isolation);
    return shared;
  };

  for (const [what, options, detail] of [
    ["a text of 64 MiB, one byte each", { name: "bigString", chars: 64 * MIB }, /too long/],
    ["a text of 32 Mi characters, two bytes each", { name: "bigWide", chars: 32 * MIB }, /too long/],
    ["a buffer of 64 MiB", { name: "bigBuffer", bytes: 64 * MIB }, /not text/],
  ] as const) {
    test(
      `49, 50: ${what} is a violation; who holds the thread stands still while it is decoded`,
      async () => {
        const one = await owned();
        let outcome: Outcome | undefined;
        const ms = await stall(async () => {
          outcome = await attack(one, options, { code: "ERR_PROTOCOL", detail, heavy: true });
        });
        console.log(`\nNOTE class G (${isolation}): ${what}: the platform's loop stood still for ${Math.round(ms)} ms`);
        // In a thread nothing prevents that the platform decodes it.
        for (const item of [49, 50])
          outcomeSeen({
            item,
            title: what,
            isolation,
            outcome: walled ? (outcome as Outcome) : "not stopped (named)",
            heavy: true,
          });
      },
      { needs },
    );
  }

  test(
    "F43, 50: floods end in a violation or in dropped lines; what the host's loop loses is measured",
    async () => {
      const one = await owned();
      const floods: ReadonlyArray<[string, Record<string, unknown>, Parameters<typeof attack>[2]]> = [
        [
          "100,000 notices",
          { name: "notices", count: 100_000 },
          { code: "ERR_FLOOD", detail: /notices in a second/, heavy: true },
        ],
        [
          // More of them there, so that also a slow machine passes on more in a second than it may.
          "60,000 frames, behind the wall 200,000",
          { name: "frames", count: walled ? 200_000 : 60_000 },
          { code: "ERR_FLOOD", detail: /frames in a second/, heavy: true },
        ],
        [
          // Few enough for every limit on frames and characters, and costly to read.
          "frames of junk, 300 a second of 256 KiB",
          { name: "junkFrames", perTick: 6, ms: 20, chars: 262_144 },
          { code: "ERR_FLOOD", detail: /host's own thread/, heavy: true },
        ],
      ];
      for (const [what, options, expected] of floods) {
        let outcome: Outcome | undefined;
        const ms = await stall(async () => {
          outcome = await attack(one, options, expected);
        });
        console.log(
          `\nNOTE class G (${isolation}): ${what}: the platform's loop stood still for ${Math.round(ms)} ms at most`,
        );
        outcomeSeen({
          item: 43,
          title: `from an owned realm: ${what}`,
          isolation,
          outcome: outcome as Outcome,
          heavy: true,
        });
      }
    },
    { needs },
  );

  test(
    "50: answers that are never read pile up in the host until the worker is ended as blocked",
    async (t) => {
      const one = await owned();
      one.life.length = 0;
      const before = process.memoryUsage().rss;
      let most = before;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 5);
      t.cleanup(() => clearInterval(watch));
      void one.mallory
        .createNetwork("attack-hoard", { name: "hoard", frames: 4, requests: 200, chars: 60_000 })
        .catch(() => {});
      await until(() => one.life.includes("plugin:restarted"), "mallory's restart", 10_000);
      clearInterval(watch);
      assert.equal(one.life, ["plugin:restarting", "plugin:restarted"]);
      console.log(
        `\nNOTE class G (${isolation}): 4 frames of ${Math.round((200 * 110) / 1024)} KiB asked for 46 MiB of answers; the process grew by ${Math.round((most - before) / MIB)} MiB`,
      );
      unharmed(one);
      await one.mallory.createNetwork("after");
      await one.mallory.deleteNetwork("after");
      await one.host.reload("mallory");
      outcomeSeen({ item: 50, title: "answers that are never read", isolation, outcome: "plugin ended" });
    },
    { needs },
  );

  if (walled)
    test(
      "50: answers that are not read, by a loop that turns: little waits for the worker before it is ended",
      async (t) => {
        const one = await owned();
        one.life.length = 0;
        one.lines.length = 0;
        const before = process.memoryUsage().rss;
        let most = before;
        const watch = setInterval(() => {
          most = Math.max(most, process.memoryUsage().rss);
        }, 5);
        t.cleanup(() => clearInterval(watch));
        void one.mallory
          .createNetwork("attack-unread", { name: "hoardUnread", requests: 8, chars: 60_000, ms: 20 })
          .catch(() => {});
        await until(() => one.life.includes("plugin:restarted"), "mallory's restart", 15_000);
        clearInterval(watch);
        const told = one.lines.map(({ fields, message }) => `${fields.code} ${message}`).join("; ");
        assert.match(told, /it does not read what it is sent/);
        console.log(
          `\nNOTE class G (${isolation}): answers that are not read: the process grew by ${Math.round((most - before) / MIB)} MiB`,
        );
        unharmed(one);
        await one.mallory.createNetwork("after");
        await one.mallory.deleteNetwork("after");
        await one.pulse.answers(1);
        await one.host.reload("mallory");
        outcomeSeen({
          item: 50,
          title: "answers that are not read, by a loop that turns",
          isolation,
          outcome: told.includes("ERR_HOST_PROCESS") ? "host ended and recovered" : "plugin ended",
          // After the attacks before, mallory may run alone.
          heavy: true,
        });
      },
      { needs },
    );

  for (const [what, claimed, within] of [
    ["a call that does not exist", 99_999, 4000],
    ["the bundle's evaluation, long over", -1, 4000],
    ["its own call, while new calls keep coming", "own", 9000],
  ] as const) {
    test(
      `56: claims to be at work on ${what}, and blocks`,
      async (t) => {
        const one = await owned();
        one.life.length = 0;
        const { mallory, host } = one;
        const codes: string[] = [];
        host.on("plugin:restarting", ({ plugin, code }) => {
          if (plugin === "mallory") codes.push(code ?? "");
        });
        const started = performance.now();
        const blocked = mallory
          .createNetwork(`attack-claim-${claimed}`, { name: "claim", claimed })
          .catch((error: Error) => error);
        let calls = 0;
        const more = setInterval(() => {
          mallory.createNetwork(`more-${claimed}-${calls++}`).catch(() => {});
        }, 100);
        t.cleanup(() => clearInterval(more));
        await until(() => codes.length > 0, "the block's end", 15_000);
        clearInterval(more);
        const ms = performance.now() - started;
        assert.is(codes[0], "ERR_PLUGIN_BLOCKED");
        assert.ok(ms < within, `ended after ${Math.round(ms)} ms`);
        assert.instance(await blocked, Error);
        await until(() => one.life.includes("plugin:restarted"), "mallory's restart", 15_000);
        await one.pulse.answers(1);
        unharmed(one);
        await host.reload("mallory");
        outcomeSeen({
          item: 56,
          title: `claims to be at work on ${what}, and blocks`,
          isolation,
          outcome: "plugin ended",
        });
      },
      { needs },
    );
  }

  test(
    "the host closes, and nothing is left",
    async () => {
      const one = await shared;
      await one?.close();
      assert.is(one?.threads(), 0);
    },
    { needs },
  );

  test(
    "attack after attack: the breaker opens, callers are told at once, the neighbour serves on",
    async (t) => {
      const one = await ownedHost(isolation, plugin("mallory"));
      t.cleanup(() => one.close());
      for (let i = 0; malloryInfo(one.host).state !== "unavailable"; i++) {
        assert.ok(i < 30, "the breaker never opened");
        const error = await one.mallory.createNetwork(`attack-b${i}`, { name: "body", text: "x" }).then(
          () => undefined,
          (reason: Error & { code?: string }) => reason,
        );
        assert.ok(
          /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY|DRIVER_TIMEOUT|PLUGIN_UNAVAILABLE)$/.test(error?.code ?? ""),
          `${error?.code}`,
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(one.life.at(-1), "plugin:unavailable");
      assert.ok(malloryInfo(one.host).counters.violations >= 5);
      await one.pulse.answers(10);
      if (!walled) await until(() => one.threads() === 2, "mallory's threads to end");
      unharmed(one);
    },
    { needs },
  );

  if (walled)
    test(
      "the platform stayed what it was",
      async () => {
        console.log(`\nNOTE class G, limits (${isolation}): ${JSON.stringify(await watch?.done())}`);
      },
      { needs },
    );

  test.run();
}
