/** A process of ours beside the platform, such as the port holder: what it sends is bounded, and it is kept running while it is needed. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Mutex } from "#dist/common/mutex.js";
import { KeptService } from "#dist/permissions/netlink/kernel/kept-service.js";
import { type ServiceOptions, ServiceProcess } from "#dist/permissions/netlink/kernel/service-process.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";

const test = suite("permissions: service process");

/** Answers each order by its word. */
const SCRIPT = `
  import { createInterface } from "node:readline";
  const say = (message) => console.log(JSON.stringify(message));
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, word } = JSON.parse(line);
    if (word === "echo") say({ id, word });
    if (word === "report") { say({ report: 7 }); say({ id }); }
    if (word === "long") console.log(JSON.stringify({ id, text: "x".repeat(5000) }));
    if (word === "garbage") console.log("no JSON");
    if (word === "list") say([id]);
  }`;

async function optionsFor(t: TestContext, script = SCRIPT): Promise<ServiceOptions & { readonly heard: () => void }> {
  const path = join(await t.folder(), "service.mjs");
  await writeFile(path, script);
  return {
    name: "the service",
    netns: undefined,
    script: path,
    heapMb: 32,
    reads: [path],
    readyMs: 10_000,
    lineBytes: 4_096,
    log() {},
    heard() {},
  };
}

async function start(t: TestContext, more: Partial<ServiceOptions> = {}, script?: string): Promise<ServiceProcess> {
  const one = await ServiceProcess.start({ ...(await optionsFor(t, script)), ...more });
  t.cleanup(async () => {
    one.end();
    await one.ended;
  });
  return one;
}

test("an order gets the reply with its id, and what is not a reply is reported", async (t) => {
  const heard: unknown[] = [];
  const one = await start(t, { heard: (message, from) => heard.push([message, from.pid]) });
  assert.equal(await Promise.all(["echo", "echo"].map((word) => one.ask({ word }, 5_000))), [
    { id: 0, word: "echo" },
    { id: 1, word: "echo" },
  ]);
  await one.ask({ word: "report" }, 5_000);
  assert.equal(heard, [[{ report: 7 }, one.pid]]);
});

for (const word of ["long", "garbage", "list"]) {
  test(`${word}: what is not a message of bounded length ends the process, and its orders are rejected`, async (t) => {
    const one = await start(t);
    const { message } = await rejection(one.ask({ word }, 60_000));
    assert.is(message, "the service ended (SIGKILL); try again");
  });
}

test("a process that does not reply in time is terminated", async (t) => {
  const one = await start(t);
  assert.match((await rejection(one.ask({ word: "silence" }, 50))).message, /^the service ended \(SIGKILL\)/);
});

test("a process that ends before it is ready: its own words say why", async (t) => {
  const { message } = await rejection(start(t, {}, "console.error('no sockets here'); process.exit(3);"));
  assert.is(message, "the service did not start: exit 3: no sockets here");
});

test("a service that is killed is started again and mended until nothing is missing; unneeded, it ends", async (t) => {
  const options = await optionsFor(t);
  const mutex = new Mutex();
  const ended: string[] = [];
  let needed = true;
  let mended = 0;
  const service = new KeptService({
    mutex,
    lingerMs: 20,
    start: () => ServiceProcess.start(options),
    needed: () => needed,
    ended: (how) => ended.push(how),
    mend: async () => {
      await service.running();
      return ++mended === 3;
    },
  });
  t.cleanup(async () => {
    needed = false;
    await service.endIdle();
  });
  const first = await mutex.run(() => service.running());
  process.kill(first.pid ?? 0, "SIGKILL");
  await until(() => mended === 3, "the third try", 20_000);
  assert.equal(ended, ["SIGKILL"]);
  const second = service.process;
  assert.ok(second && second !== first);

  await service.endIdle();
  assert.is(service.process, second, "it is needed");
  needed = false;
  service.linger();
  await second.ended;
  await mutex.run(async () => {});
  assert.is(service.process, undefined);
  assert.is(mended, 3);
});

test.run();
