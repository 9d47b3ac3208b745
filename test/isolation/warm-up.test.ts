/** A spare warms up: it runs a whole plugin's life, and leaves nothing of it to the plugin that comes then. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { ThrownValue } from "#dist/protocol/messages.js";
import { assert, suite, type TestContext } from "../harness.js";
import type { WarmedUp } from "./warming-up.js";

const test = suite("isolation: warm-up of a spare");

async function warmedUp(t: TestContext): Promise<WarmedUp> {
  const worker = new Worker(new URL("./warming-up.js", import.meta.url));
  t.cleanup(() => worker.terminate());
  const [found] = (await once(worker, "message")) as [WarmedUp];
  return found;
}

test("every method is called, and answered", async (t) => {
  assert.is((await warmedUp(t)).answered, 9);
});

test("the plugin that comes then is alone: its calls, its cell, its own errors by its own source map", async (t) => {
  const { said, cells } = await warmedUp(t);
  assert.equal(
    said.map(({ kind }) => kind),
    ["request", "started", "reply"],
  );
  // Evaluation, then the one call.
  assert.equal(cells, [-1, 0, 1, 1, 0]);
  const thrown = (said[2] as { readonly message: { readonly value: ThrownValue } }).message.value;
  assert.equal(
    { message: thrown.message, file: thrown.file, line: thrown.line },
    { message: "thrown by the plugin", file: "author.ts", line: 31 },
  );
});

test.run();
