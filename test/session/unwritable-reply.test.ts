/** A request whose reply cannot be written, such as one too long for a string, is refused; nothing rejects unhandled. */
import { once } from "node:events";
import { HostTime } from "#dist/permissions/host-time.js";
import { Dispatcher } from "#dist/session/dispatcher.js";
import { assert, suite } from "../harness.js";

const test = suite("session: unwritable reply");

test("it is refused, and the next one is answered", async () => {
  const sent = new EventTarget();
  const texts: string[] = [];
  const replies = [
    {
      toJSON() {
        throw new RangeError("Invalid string length");
      },
    },
    7,
  ];
  const dispatcher = new Dispatcher({
    request: async () => replies.shift() as never,
    notice: () => true,
    send(text) {
      texts.push(text);
      sent.dispatchEvent(new Event("text"));
    },
    violate: (code) => texts.push(code),
    time: new HostTime(),
  });
  for (const id of ["a", "b"]) {
    const next = once(sent, "text");
    dispatcher.request({ id, type: "APPLY", path: ["store.get"], argumentList: [] });
    await next;
  }
  dispatcher.stop();
  assert.is(texts.length, 2);
  assert.match(texts[0] ?? "", /"id":"a".*ERR_PERMISSION_FAILED/);
  assert.match(texts[1] ?? "", /"id":"b".*7/);
});

test.run();
