/** Runs the cases of a class as a test file's tests. */
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "../harness.js";
import { runCase } from "./arena.js";
import type { CaseResult, HostileCase, Isolation } from "./case.js";

const RUN_ONE = fileURLToPath(new URL("./run-one.js", import.meta.url));

/** BULKHEAD_ISOLATION chooses where plugins live; "thread" if it says nothing. */
export function chosenIsolation(): Isolation {
  const wanted = process.env.BULKHEAD_ISOLATION ?? "thread";
  if (wanted === "thread" || wanted === "process" || wanted === "dedicated") return wanted;
  throw new Error(`BULKHEAD_ISOLATION is "${wanted}": "thread", "process" or "dedicated"`);
}

/** Runs a case, in a process of its own where it takes its process along; that it does so must then be seen. */
export async function result(one: HostileCase, isolation: Isolation): Promise<CaseResult> {
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
    `it was expected to abort its process: if it no longer does, it is no longer named. ${text}`,
  );
  const { item, title } = one;
  return {
    item,
    title,
    isolation,
    outcome: "not stopped (named)",
    ms: Math.round(performance.now() - started),
    neighbourMs: 0,
  };
}

/** A suite with a test per case. */
export function runClass(title: string, cases: readonly HostileCase[]): void {
  const isolation = chosenIsolation();
  const test = suite(`${title} (${isolation})`);
  for (const one of cases) {
    const name = `${one.item} ${one.title}`;
    test(
      name,
      async () => {
        const { outcome, ms, neighbourMs } = await result(one, isolation);
        console.log(`     ${name}: ${outcome} (${ms} ms, neighbour at most ${neighbourMs} ms)`);
        if (outcome === "not stopped (named)") console.log(`NOTE ${name}: not stopped under isolation "${isolation}"`);
      },
      { ms: one.ms ?? 30_000 },
    );
  }
  test.run();
}
