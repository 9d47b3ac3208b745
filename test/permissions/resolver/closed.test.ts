/** An answer that comes after its listener has been closed: dropped, and the process that serves all listeners goes on. */
import { createSocket } from "node:dgram";
import { type Asked, QueryListener } from "#dist/permissions/resolver/server/listener.js";
import { assert, suite } from "../../harness.js";

const test = suite("permissions/resolver/closed");

test(
  "an answer after the close is dropped",
  async (t) => {
    let hear = (_: Asked): void => {};
    const heard = new Promise<Asked>((resolve) => {
      hear = resolve;
    });
    const at = { ip: "127.0.0.77", subnet: "127.0.0.0/8", queriesPerSecond: 100, outstanding: 16 };
    const listener = new QueryListener(
      at,
      (asked) => hear(asked),
      () => {},
    );
    await listener.open();
    const client = createSocket("udp4");
    t.cleanup(() => client.close());
    client.send(Buffer.alloc(32, 1), 53, at.ip);
    const asked = await heard;
    listener.close();
    assert.not.throws(() => asked.reply(Buffer.alloc(32, 1), 0));
  },
  { needs: process.getuid?.() === 0 ? undefined : "port 53 needs root" },
);

test.run();
