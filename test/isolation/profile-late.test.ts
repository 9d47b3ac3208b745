/** A profile of a thread inside a native call, which V8 cannot interrupt: its deadline ends the wait, and the next one works. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { profileThread } from "#dist/isolation/profiling.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";

const test = suite("isolation: profiles that come late");

/** True where Node can profile a worker: from 24.8 on. */
const CAN = "startCpuProfile" in Worker.prototype;

/** A thread that waits for a process of `seconds` once it is told to. That process makes `file`: the thread is inside the call then. */
function sleeper(t: TestContext, seconds: number, file = ""): Worker {
  const thread = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     const { spawnSync } = require("node:child_process");
     parentPort.on("message", () => {
       spawnSync("sh", ["-c", ': > "$0" && sleep "$1"', workerData.file, workerData.seconds]);
       parentPort.postMessage("awake");
     });`,
    { eval: true, workerData: { file, seconds: String(seconds) } },
  );
  t.cleanup(() => thread.terminate());
  return thread;
}

test("one that does not begin", async (t) => {
  const file = join(await t.folder(), "inside");
  const thread = sleeper(t, 1, file);
  const awake = once(thread, "message");
  thread.postMessage("");
  await until(() => existsSync(file), "the thread's process");
  const late = await rejection(profileThread(thread, "cpu", 10, { lateMs: 100 }));
  if (!CAN) {
    assert.is(late.code, "ERR_PROFILE_UNAVAILABLE");
    return;
  }
  assert.match(late.message, /^its worker did not begin one within 100 ms/);
  await awake;
  assert.ok(JSON.parse(await profileThread(thread, "cpu", 10)));
});

test("one that does not end", async (t) => {
  if (!CAN) return;
  const thread = Object.assign(sleeper(t, 0), {
    startCpuProfile: async () => ({ stop: () => new Promise<never>(() => {}) }),
  });
  const late = await rejection(profileThread(thread, "cpu", 10, { lateMs: 100 }));
  assert.match(late.message, /^its worker did not end it within 100 ms/);
});

test.run();
