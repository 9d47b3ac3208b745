import fc from "fast-check";
import {
  DownFrames,
  decodeDown,
  decodeUp,
  encodeMessage,
  encodeUp,
  ProtocolViolation,
  routeHeader,
} from "#dist/protocol/frame.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { assert, suite } from "../harness.js";

const test = suite("protocol: frames");
const HEADER = routeHeader(0xa1);

function refused(data: unknown, header = HEADER): string {
  try {
    decodeUp(header, data);
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.message;
    throw error;
  }
  throw new Error("expected a ProtocolViolation");
}

test("a route is eight hexadecimal digits", () => {
  assert.is(routeHeader(0), "00000000");
  assert.is(routeHeader(0xa1), "000000a1");
  assert.is(routeHeader(2 ** 32 - 1), "ffffffff");
});

const down = (...texts: readonly string[]): string => {
  const frames = new DownFrames(HEADER);
  for (const text of texts) frames.message(text);
  return frames.take();
};

test("frames of both directions come back as they were", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 20 }), fc.nat(), (messages, ack) => {
      const texts = messages.map((one) => JSON.stringify(one));
      const up = decodeUp(HEADER, encodeUp(HEADER, ack, texts));
      assert.is(up.ack, ack);
      assert.is(JSON.stringify(up.messages), `[${texts.join(",")}]`);
      assert.is(JSON.stringify(decodeDown(down(...texts))), `[${texts.join(",")}]`);
    }),
  );
});

test("a call is comlink's APPLY, its arguments RAW values", () => {
  const frames = new DownFrames(HEADER);
  frames.call(7, 12.5, "createNetwork", 0, ['"n"', '{"a":1}', "false"]);
  frames.message(encodeMessage({ kind: "ping" }));
  frames.call(8, 1, "config", 3, []);
  assert.is(frames.count, 3);
  const call = (id: number, expires: number, method: string, values: readonly unknown[]) => ({
    kind: "call",
    expires,
    message: { id, type: "APPLY", path: [method], argumentList: values.map((value) => ({ type: "RAW", value })) },
  });
  // Rounded down: what has passed its deadline must never start.
  assert.equal(decodeDown(frames.take()), [
    call(7, 12, "createNetwork", [0, "n", { a: 1 }, false]),
    { kind: "ping" },
    call(8, 1, "config", [3]),
  ]);
  assert.is(frames.count, 0);
  frames.message(encodeMessage({ kind: "ping" }));
  assert.equal(decodeDown(frames.take()), [{ kind: "ping" }]);
});

test("a reply with a value is its id and the value; an error stays a message", () => {
  const value = encodeMessage({ kind: "reply", message: { id: 7, type: "RAW", value: { a: [1] } } });
  assert.is(value, '[7,{"a":[1]}]');
  assert.is(encodeMessage({ kind: "reply", message: { id: 8, type: "RAW" } }), "[8,null]");
  const thrown = { id: 9, type: "HANDLER", name: "throw", value: { name: "E", message: "m" } } as const;
  assert.is(encodeMessage({ kind: "reply", message: thrown }), JSON.stringify({ kind: "reply", message: thrown }));
});

test("what is not text is refused by its type, unread", () => {
  const watched = new Proxy(
    {},
    {
      get() {
        throw new Error("read");
      },
      getPrototypeOf() {
        throw new Error("read");
      },
      ownKeys() {
        throw new Error("read");
      },
    },
  );
  const values = [undefined, null, 0, 1n, true, {}, [], new Array(4294967295), new String(`${HEADER}[0]`), Symbol("s")];
  for (const value of [...values, new Uint8Array(8), new SharedArrayBuffer(8), watched]) {
    assert.is(refused(value), "a frame is not text");
  }
});

test("length is looked at before all else", () => {
  assert.match(refused("x".repeat(LIMITS.frameChars + 1)), "too long");
  const full = `${HEADER}[0,"${"x".repeat(LIMITS.frameChars - 14)}"]`;
  assert.is(full.length, LIMITS.frameChars);
  assert.is(decodeUp(HEADER, full).messages.length, 1);
  assert.match(refused(`${full} `), "too long");
});

test("only the link's own route passes", () => {
  for (const text of ["", "0", "000000a", "000000A1[0]", "000000a2[0]", " 000000a1[0]", "[0]"]) {
    assert.match(refused(text), "another worker's route");
  }
});

test("what is not JSON, or no list, is refused", () => {
  const long = "[".repeat(500_000);
  for (const text of ["", "[", "[0", "[0]]", "[0,]", "{", "undefined", "NaN", "[0]x", "\u0000", "[0x1]", long]) {
    assert.match(refused(HEADER + text), "not JSON");
  }
  for (const text of ["null", "0", '"x"', "true", "{}", '{"0":0,"length":1}']) {
    assert.match(refused(HEADER + text), "not a list");
  }
});

test("the count of messages is bounded, exactly", () => {
  assert.match(refused(`${HEADER}[]`), "wrong count");
  const list = (items: number): string => `${HEADER}[${new Array(items).fill(0).join(",")}]`;
  assert.is(decodeUp(HEADER, list(LIMITS.frameMessages)).messages.length, LIMITS.frameMessages - 1);
  assert.match(refused(list(LIMITS.frameMessages + 1)), "wrong count");
});

test("an acknowledgement is a count", () => {
  for (const ack of ["-1", "0.5", "1e999", "null", '"0"', "[]", "{}", "true", "9007199254740992", '{"valueOf":0}']) {
    assert.match(refused(`${HEADER}[${ack}]`), "acknowledges no count");
  }
  for (const ack of [0, 1, Number.MAX_SAFE_INTEGER]) assert.is(decodeUp(HEADER, `${HEADER}[${ack}]`).ack, ack);
});

test("a violation never quotes what came in", () => {
  for (const text of ["SECRET", `${HEADER}SECRET`, `${HEADER}"SECRET"`, `${HEADER}["SECRET"]`]) {
    assert.not.match(refused(text), "SECRET");
  }
});

test.run();
