/** The platform's end of a worker's own stream: what it takes for the worker's, and when it counts as ended. */
import { createCipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { frameBytes } from "#dist/isolation/host-frames.js";
import { Intake } from "#dist/isolation/intake.js";
import { WALLS } from "#dist/isolation/limits.js";
import { KEY_BYTES, streamSeal } from "#dist/isolation/stream-seal.js";
import { WorkerStream } from "#dist/isolation/worker-stream.js";
import { assert, suite, type TestContext, until } from "../harness.js";

const test = suite("isolation: a worker's stream");
const HEADER = "0000000a";

interface Ends {
  readonly stream: WorkerStream;
  /** The worker's end. */
  readonly worker: Socket;
  readonly frames: string[];
  readonly violations: string[];
  readonly floods: string[];
}

async function pair(t: TestContext, key?: Buffer): Promise<Ends> {
  const server = createServer().listen(join(await t.folder(), "socket"));
  t.cleanup(() => server.close());
  await once(server, "listening");
  const worker = connect(server.address() as string);
  const [socket] = (await once(server, "connection")) as [Socket];
  for (const one of [worker, socket]) {
    one.on("error", () => {});
    t.cleanup(() => one.destroy());
  }
  const frames: string[] = [];
  const violations: string[] = [];
  const floods: string[] = [];
  const stream = new WorkerStream({
    socket,
    header: HEADER,
    key,
    intake: new Intake(),
    frame: (text) => frames.push(text),
    flooded: (why) => floods.push(why),
    violation: (why) => violations.push(why),
  });
  return { stream, worker, frames, violations, floods };
}

test("sealed both ways: the worker's frames come through, and what is sent is noise without the key", async (t) => {
  const key = randomBytes(KEY_BYTES);
  const { stream, worker, frames, violations } = await pair(t, key);
  const up = streamSeal(key, "up", createCipheriv);
  worker.write(up(frameBytes(`${HEADER}[1]`)));
  await until(() => frames.length === 1, "the frame");
  assert.equal(frames, [`${HEADER}[1]`]);
  stream.send(`${HEADER}[{"kind":"ping"}]`);
  const [chunk] = (await once(worker, "data")) as [Buffer];
  assert.not.match(chunk.toString("latin1"), "ping");
  assert.match(streamSeal(key, "down", createCipheriv)(chunk).toString(), "ping");
  assert.equal(violations, []);
});

test("a well-formed frame without the key is not a frame, and nothing after it is", async (t) => {
  const key = randomBytes(KEY_BYTES);
  const { worker, frames, violations } = await pair(t, key);
  const up = streamSeal(key, "up", createCipheriv);
  worker.write(frameBytes(`${HEADER}[1]`));
  worker.write(up(frameBytes(`${HEADER}[2]`)));
  await until(() => violations.length > 0, "the violation");
  assert.match(violations[0] ?? "", /corrupt.*something other than that worker wrote to it/);
  assert.equal(frames, []);
});

test("an ended worker's last frames are read before it counts as gone", async (t) => {
  const { stream, worker, frames, violations } = await pair(t);
  const last = Array.from({ length: 50 }, (_, i) => `${HEADER}[${i},"${"x".repeat(10_000)}"]`);
  let seen = -1;
  stream.drain(() => {
    seen = frames.length;
  });
  for (const one of last) worker.write(frameBytes(one));
  worker.end();
  await until(() => seen >= 0, "the end");
  assert.is(seen, last.length);
  stream.close();
  assert.equal(violations, []);
});

test("an ended worker's stream that stays open is waited for until a deadline", async (t) => {
  const { stream } = await pair(t);
  const began = performance.now();
  await new Promise<void>((resolve) => stream.drain(resolve));
  assert.ok(performance.now() - began >= WALLS.closedMs - 5);
});

test("a stream that ends while its worker does not is a violation", async (t) => {
  const { worker, violations } = await pair(t);
  worker.destroy();
  await until(() => violations.length > 0, "the violation");
  assert.equal(violations, ["it closed a worker's stream"]);
});

test("more bytes than a second may have: told as a flood, not as noise", async (t) => {
  const { worker, violations, floods } = await pair(t);
  const frame = frameBytes(`${HEADER}[1,"${"x".repeat(1_000_000)}"]`);
  const all = Math.ceil(WALLS.bytesPerSecond / frame.length) + 1;
  // Time stands still, however long the machine takes to read that much.
  const clock = performance.now;
  const now = performance.now();
  performance.now = () => now;
  t.cleanup(() => {
    performance.now = clock;
  });
  for (let sent = 0; sent < all; sent++) if (!worker.write(frame)) await once(worker, "drain");
  await until(() => floods.length > 0, "the flood");
  assert.match(floods[0] ?? "", `more than ${WALLS.bytesPerSecond} bytes in a second`);
  assert.equal(violations, []);
});

test("once stopped, nothing more is given, and the stream stays open until it is closed", async (t) => {
  const { stream, worker, frames, violations } = await pair(t);
  stream.stop();
  worker.write(frameBytes(`${HEADER}[1]`));
  let closed = false;
  worker.once("close", () => {
    closed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(closed, false);
  stream.close();
  await until(() => closed, "the close");
  assert.equal(frames, []);
  assert.equal(violations, []);
});

test.run();
