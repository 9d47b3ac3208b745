/** A worker that does not read is terminated before much waits for it; its neighbours are not. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Backlog } from "#dist/isolation/backlog.js";
import { Intake } from "#dist/isolation/intake.js";
import { WALLS } from "#dist/isolation/limits.js";
import { type LinkCarrier, ProcessLink } from "#dist/isolation/process-link.js";
import { WorkerStream } from "#dist/isolation/worker-stream.js";
import { assert, suite, type TestContext } from "../harness.js";

const test = suite("isolation: workers that do not read");
const MIB = 1_048_576;

interface One {
  readonly link: ProcessLink;
  /** The worker's end, paused. */
  readonly worker: Socket;
}

interface Process {
  add(): Promise<One>;
  /** Routes of the workers that were terminated, with the reason. */
  readonly failed: (readonly [route: number, why: string])[];
}

async function hostProcess(t: TestContext): Promise<Process> {
  const server = createServer().listen(join(await t.folder(), "socket"));
  t.cleanup(() => server.close());
  await once(server, "listening");
  const links: ProcessLink[] = [];
  const failed: (readonly [number, string])[] = [];
  const backlog = new Backlog(() => links);
  const carrier: LinkCarrier = {
    isolation: "process",
    wall: "bubblewrap",
    pid: undefined,
    residentMb: 0,
    sending: (link) => backlog.check(link),
    passedOn: () => Promise.resolve(),
    profile: () => Promise.resolve(""),
    killWorker: () => {},
    failWorker: (link, why) => failed.push([link.route, why]),
  };
  return {
    failed,
    async add() {
      const worker = connect(server.address() as string).pause();
      const [socket] = (await once(server, "connection")) as [Socket];
      for (const end of [worker, socket]) {
        end.on("error", () => {});
        t.cleanup(() => end.destroy());
      }
      const stream = new WorkerStream({
        socket,
        header: "0000000a",
        key: undefined,
        intake: new Intake(),
        frame: () => {},
        flooded: () => {},
        violation: () => {},
      });
      const link = new ProcessLink(links.length + 1, carrier, stream);
      links.push(link);
      return { link, worker };
    },
  };
}

const FRAME = `0000000a[${"x".repeat(MIB)}]`;

test("one that does not read is terminated at its limit, and is sent nothing more", async (t) => {
  const { add, failed } = await hostProcess(t);
  const { link } = await add();
  for (let sent = 0; failed.length === 0; sent++) {
    assert.ok(sent * MIB <= WALLS.unreadBytesPerWorker + 2 * MIB, "no limit");
    link.send(FRAME);
  }
  assert.equal(failed, [[1, "it does not read what it is sent"]]);
  const { unread } = link;
  link.send(FRAME);
  assert.is(link.unread, unread);
  assert.is(failed.length, 1);
});

test("one frame may be longer than that, if nothing waits", async (t) => {
  const { add, failed } = await hostProcess(t);
  const { link, worker } = await add();
  link.send(`0000000a[${"x".repeat(2 * WALLS.unreadBytesPerWorker)}]`);
  assert.equal(failed, []);
  let bytes = 0;
  worker.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  worker.resume();
  while (bytes <= 2 * WALLS.unreadBytesPerWorker) await once(worker, "data");
  link.send(FRAME);
  assert.equal(failed, []);
});

test("of those that together leave too much, the one with the most is terminated", async (t) => {
  const { add, failed } = await hostProcess(t);
  const all = [await add(), await add(), await add(), await add(), await add(), await add()];
  const share = WALLS.unreadBytes / all.length - 2 * MIB;
  for (const { link } of all) while (link.unread < share) link.send(FRAME);
  assert.equal(failed, []);
  const most = all[2]?.link;
  while (failed.length === 0) most?.send(FRAME);
  assert.equal(failed, [[3, "it does not read what it is sent"]]);
});

test.run();
