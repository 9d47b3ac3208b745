/** The streams of a host process that no worker has yet: each is given once, and whatever happens on one before is a fault. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type WorkerSlot, WorkerSlots } from "#dist/isolation/worker-slots.js";
import { assert, suite, type TestContext, until } from "../harness.js";

const test = suite("isolation: streams that no worker has");

interface Ends {
  readonly slots: WorkerSlots;
  /** The other ends, in the host process. */
  readonly others: readonly Socket[];
  readonly broken: string[];
}

async function pairs(t: TestContext, count: number): Promise<Ends> {
  const server = createServer().listen(join(await t.folder(), "socket"));
  t.cleanup(() => server.close());
  await once(server, "listening");
  const sockets: Socket[] = [];
  const others: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const other = connect(server.address() as string);
    const [socket] = (await once(server, "connection")) as [Socket];
    for (const one of [other, socket]) {
      one.on("error", () => {});
      t.cleanup(() => one.destroy());
    }
    sockets.push(socket);
    others.push(other);
  }
  const broken: string[] = [];
  const slots = new WorkerSlots(count, (why) => broken.push(why));
  assert.is(slots.left, count, "before the process is started");
  assert.is(slots.take(), undefined, "before the process is started");
  slots.supply(sockets);
  return { slots, others, broken };
}

test("each is given once, in order; then no more", async (t) => {
  const { slots } = await pairs(t, 2);
  assert.is(slots.left, 2);
  assert.is(slots.take()?.slot, 0);
  assert.is(slots.take()?.slot, 1);
  assert.is(slots.left, 0);
  assert.is(slots.take(), undefined);
});

test("what is written to an unused one is a fault", async (t) => {
  const { others, broken } = await pairs(t, 2);
  others[1]?.write("noise");
  await until(() => broken.length > 0, "the fault");
  assert.equal(broken, ["something in it has written to a stream that no worker has"]);
});

test("an unused one that is closed is a fault", async (t) => {
  const { others, broken } = await pairs(t, 2);
  others[1]?.destroy();
  await until(() => broken.length > 0, "the fault");
  assert.equal(broken, ["it closed a worker's stream"]);
});

test("what arrives on one that has been given waits for its reader", async (t) => {
  const { slots, others, broken } = await pairs(t, 1);
  const { socket } = slots.take() as WorkerSlot;
  others[0]?.write("early");
  socket.on("data", (chunk: Buffer) => assert.is(chunk.toString(), "early"));
  socket.resume();
  await once(socket, "data");
  others[0]?.destroy();
  await once(socket, "close");
  assert.equal(broken, []);
});

test.run();
