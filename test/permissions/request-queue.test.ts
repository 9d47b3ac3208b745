/** Requests that wait for a hub: how many, when they are served, and what a plugin is told when they are not. */
import { Mutex } from "#dist/common/mutex.js";
import { DriverError } from "#dist/driverapi/errors.js";
import { type Asked, type Job, RequestQueue } from "#dist/permissions/request-queue.js";
import { storageFull } from "#dist/storage/errors.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("permissions: request queue");

interface Served {
  readonly queue: RequestQueue<Asked>;
  /** The plugins of each batch that was served. */
  readonly batches: string[][];
  readonly mutex: Mutex;
}

/** A queue whose batches have at most two requests; `serve` replies to all of them unless told otherwise. */
function open(serve?: (batch: readonly Job<Asked>[]) => Promise<void>): Served {
  const batches: string[][] = [];
  const mutex = new Mutex();
  const queue = new RequestQueue<Asked>({
    permission: "netlink",
    max: 2,
    failed: (plugin, op, why) => new DriverError("ERR_NETLINK_FAILED", `netlink.${op}: ${why}`, { plugin }),
    mutex,
    choose: (jobs) => jobs.slice(0, 2),
    serve: async (batch) => {
      batches.push(batch.map(({ plugin }) => plugin));
      if (serve) return serve(batch);
      for (const job of batch) job.resolve(job.plugin);
    },
  });
  return { queue, batches, mutex };
}

const asked = (plugin: string, limits = {}): Asked => ({ plugin, limits, request: { op: "createLink" } });

test("an error of the data folder reaches a plugin without its path", async () => {
  const { queue } = open(() => Promise.reject(storageFull("/var/lib/bulkhead", 0, 1)));
  const { code, message } = await rejection(queue.add(asked("bridge")));
  assert.is(code, "ERR_NETLINK_FAILED");
  assert.match(message, "could not record the change");
  assert.not(message.includes("/var/lib"), message);
});

test("a plugin may have so many waiting, and another one its own", async () => {
  const { queue } = open();
  const replies = [asked("a"), asked("a"), asked("b")].map((one) => queue.add(one));
  assert.is((await rejection(queue.add(asked("a")))).code, "ERR_PERMISSION_LIMIT");
  assert.equal(await Promise.all(replies), ["a", "a", "b"]);
});

test("what does not fit into a batch gets a later one, after the hub's other work", async () => {
  const { queue, batches, mutex } = open();
  const replies = ["a", "b", "c"].map((plugin) => queue.add(asked(plugin)));
  const seen = mutex.run(async () => batches.length);
  await Promise.all(replies);
  assert.equal(batches, [["a", "b"], ["c"]]);
  assert.is(await seen, 1);
});

test("when a batch fails, its requests are rejected, and the next one is served", async () => {
  let broken = true;
  const { queue } = open(async (batch) => {
    if (broken) throw new Error("no ip");
    for (const job of batch) job.resolve("served");
  });
  assert.match((await rejection(queue.add(asked("a")))).message, "no ip");
  broken = false;
  assert.is(await queue.add(asked("a")), "served");
});

test("requests of a grant that has ended are refused, others served", async () => {
  const { queue, batches } = open();
  const limits = {};
  const ended = rejection(queue.add(asked("a", limits)));
  const other = queue.add(asked("a"));
  queue.refuse(limits);
  assert.match((await ended).message, "its grant has ended");
  await other;
  assert.equal(batches, [["a"]]);
});

test("a closed queue rejects what waits and what comes, and serves nothing", async () => {
  const { queue, batches, mutex } = open();
  const waiting = rejection(queue.add(asked("a")));
  queue.close();
  assert.match((await waiting).message, "the host is closing");
  assert.match((await rejection(queue.add(asked("b")))).message, "the host is closing");
  await mutex.run(async () => {});
  assert.equal(batches, []);
});

test.run();
