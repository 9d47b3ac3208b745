/** A worker is told its own stream's key, and gets nothing else with it. */
import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { KEY_BYTES } from "#dist/isolation/stream-seal.js";
import { FIRST_SLOT, type StreamGrant, streamGrant } from "#dist/isolation/worker-streams.js";
import { assert, suite } from "../harness.js";

const test = suite("isolation: a worker's grant of a stream");

test("the key arrives alone, without the memory around it", async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.cleanup(() => port1.close());
  streamGrant(2, "cd".repeat(KEY_BYTES));
  port1.postMessage(streamGrant(3, "ab".repeat(KEY_BYTES)));
  const [{ descriptor, key }] = (await once(port2, "message")) as [StreamGrant];
  assert.is(descriptor, FIRST_SLOT + 3);
  assert.equal([...(key ?? [])], new Array(KEY_BYTES).fill(0xab));
  assert.is(key?.buffer.byteLength, KEY_BYTES);
});

test("a stream without neighbours has no key", () => {
  assert.equal(streamGrant(0, undefined), { descriptor: FIRST_SLOT });
});

test.run();
