/** Runs the cases of a class as a test file's tests, under every isolation. */
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { ahead } from "./ahead.js";
import { runCase } from "./arena.js";
import { type CaseResult, type HostileCase, ISOLATIONS, type Isolation } from "./case.js";
import { outcomeSeen } from "./outcomes.js";
import { lanesOf } from "./owned-hosts.js";
import { watchPlatform } from "./platform-watch.js";

const RUN_ONE = fileURLToPath(new URL("./run-one.js", import.meta.url));

/** All three, or those that BULKHEAD_ISOLATION names, parted by commas. */
export function chosenIsolations(): readonly Isolation[] {
  const wanted = process.env.BULKHEAD_ISOLATION?.split(",");
  const unknown = wanted?.find((one) => !(ISOLATIONS as readonly string[]).includes(one));
  if (unknown !== undefined)
    throw new Error(`BULKHEAD_ISOLATION names "${unknown}": it may name "thread", "process" and "dedicated"`);
  return ISOLATIONS.filter((one) => wanted?.includes(one) ?? true);
}

/** Runs a case, in a process of its own where it takes its process along; that it does so must then be seen. */
async function result(one: HostileCase, isolation: Isolation): Promise<CaseResult> {
  if (!one.aborts || isolation !== "thread") return runCase(one, isolation);
  const started = performance.now();
  // What an aborted process leaves behind lies in here.
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-abort-"));
  const child = spawn(process.execPath, [RUN_ONE, one.title], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(0, 20_000);
  });
  const ended = await new Promise<string>((resolve) =>
    child.once("close", (code, signal) => resolve(String(signal ?? code))),
  );
  await rm(folder, { recursive: true, force: true });
  assert.equal(
    ended,
    "SIGABRT",
    `it was expected to abort its process: if it no longer does, remove it from the list. ${text}`,
  );
  const { item, title } = one;
  const ms = Math.round(performance.now() - started);
  return { item, title, isolation, outcome: "not stopped (named)", ms, neighbourMs: 0 };
}

/** A suite per isolation, with a test per case; behind the wall, a last one for what must hold of the platform. */
export function runClass(title: string, cases: readonly HostileCase[]): void {
  for (const isolation of chosenIsolations()) runUnder(isolation, title, cases);
}

function runUnder(isolation: Isolation, title: string, cases: readonly HostileCase[]): void {
  const test = suite(`${title} (${isolation})`);
  const needs = isolation === "thread" ? undefined : noBubblewrap;
  const resultOf = ahead(cases, lanesOf(isolation), (one) => result(one, isolation));
  let watch: ReturnType<typeof watchPlatform> | undefined;
  for (const one of cases) {
    const name = `${one.item} ${one.title}`;
    test(
      name,
      async () => {
        if (isolation !== "thread") watch ??= watchPlatform();
        const { outcome, ms, neighbourMs } = await resultOf(one);
        console.log(`     ${name}: ${outcome} (${ms} ms, neighbour at most ${neighbourMs} ms)`);
        if (outcome === "not stopped (named)") console.log(`NOTE ${name}: not stopped under isolation "${isolation}"`);
        outcomeSeen({ item: one.item, title: one.title, isolation, outcome });
      },
      // Others may still be before it.
      { ms: (one.ms ?? 30_000) + (one.alone ? 60_000 : 0), needs },
    );
  }
  if (isolation !== "thread") {
    test(
      "the platform stayed what it was, and nothing is left",
      async () => {
        assert.ok(watch);
        const { stallMs, grownMb } = await watch.done();
        console.log(
          `\nNOTE ${title} (${isolation}): the platform's loop stood still for ${stallMs} ms at most, its memory grew by ${grownMb} MiB`,
        );
      },
      { needs },
    );
  }
  test.run();
}
