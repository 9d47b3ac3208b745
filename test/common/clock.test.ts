import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { monotonicNow } from "#dist/common/clock.js";
import { assert, suite } from "../harness.js";

const test = suite("common: the clock");

test("it never goes back, and runs at the pace of process.hrtime", () => {
  let last = monotonicNow();
  for (let i = 0; i < 10_000; i++) {
    const now = monotonicNow();
    assert.ok(now >= last);
    last = now;
  }
  const [seconds, nanoseconds] = process.hrtime();
  assert.ok(Math.abs(seconds * 1000 + nanoseconds / 1e6 - monotonicNow()) < 50);
});

test("a worker thread has the same one", async () => {
  const url = JSON.stringify(new URL("../../../dist/common/clock.js", import.meta.url).href);
  const code = `const { parentPort } = require("node:worker_threads");
    import(${url}).then(({ monotonicNow }) => parentPort.postMessage(monotonicNow()));`;
  const before = monotonicNow();
  const worker = new Worker(code, { eval: true });
  const [there] = (await once(worker, "message")) as [number];
  const after = monotonicNow();
  assert.ok(there > before - 1 && there < after + 1, `${before} ≤ ${there} ≤ ${after}`);
  await worker.terminate();
});

test.run();
