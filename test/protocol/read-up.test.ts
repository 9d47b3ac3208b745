import { ProtocolViolation } from "#dist/protocol/frame.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { readUpMessage } from "#dist/protocol/read-up.js";
import { assert, suite } from "../harness.js";
import { HONEST } from "./messages.js";

const test = suite("protocol: reading a worker's messages");

function refused(value: unknown): string {
  try {
    readUpMessage(value);
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.message;
    throw error;
  }
  throw new Error(`expected a ProtocolViolation for ${JSON.stringify(value)?.slice(0, 200)}`);
}

const request = (more: object): unknown => ({
  kind: "request",
  message: { ...(HONEST.request?.message as object), ...more },
});
const reply = (more: object): unknown => ({ kind: "reply", message: { id: 1, type: "RAW", value: null, ...more } });
const notice = (...args: unknown[]): unknown => ({ kind: "notice", name: "log.write", args });

for (const [kind, message] of Object.entries(HONEST)) {
  test(`an honest ${kind} comes back as a new object`, () => {
    const read = readUpMessage(message);
    assert.equal(read, message);
    assert.ok((read as unknown) !== message);
  });

  test(`a ${kind} keeps nothing that it should not have`, () => {
    const padded = { ...message, extra: 1, message: pad(message.message), error: pad(message.error) };
    assert.equal(readUpMessage(padded), message);
  });
}

function pad(value: unknown): unknown {
  return typeof value === "object" && value !== null ? { ...value, extra: 1, transfer: [1], toString: 1 } : value;
}

test("a message is an object of a known kind", () => {
  for (const value of [undefined, null, 0, "", "started", true]) assert.match(refused(value), "not an object");
  for (const kind of [undefined, null, 0, "", "constructor", "__proto__", "toString", "call", "Started", ["started"]]) {
    assert.match(refused({ kind }), "no known kind");
  }
  assert.match(refused(JSON.parse('{"__proto__":{"kind":"started"}}').nothing ?? {}), "no known kind");
});

test("a request is APPLY, with a path of one", () => {
  for (const type of [undefined, null, "GET", "SET", "CONSTRUCT", "ENDPOINT", "RELEASE", "apply", "RAW", ["APPLY"]]) {
    assert.match(refused(request({ type })), "not an APPLY");
  }
  for (const path of [undefined, null, "x", { 0: "x", length: 1 }])
    assert.match(refused(request({ path })), "not a list");
  for (const path of [["a", "b"], new Array(4294967295)]) assert.match(refused(request({ path })), "too many");
  for (const path of [[], [0], [null], [["x"]], ["x".repeat(65)]])
    assert.match(refused(request({ path })), "not a short text");
  for (const id of [undefined, null, 0, {}, "x".repeat(129)])
    assert.match(refused(request({ id })), "not a short text");
  assert.match(refused(request({ id: "" })), "without id");
  for (const value of [null, [], "x"]) assert.match(refused({ kind: "request", message: value }), "not an object");
});

test("a request's arguments are RAW values, eight at most", () => {
  for (const argumentList of [undefined, null, {}, "x"]) assert.match(refused(request({ argumentList })), "not a list");
  assert.match(refused(request({ argumentList: new Array(9).fill({ type: "RAW" }) })), "too many");
  for (const one of [null, 0, []]) assert.match(refused(request({ argumentList: [one] })), "not an object");
  for (const name of ["proxy", "throw", "constructor"]) {
    assert.match(refused(request({ argumentList: [{ type: "HANDLER", name, value: {} }] })), "not a RAW");
  }
  const read = readUpMessage(request({ argumentList: [{ type: "RAW" }] }));
  assert.equal((read as { message: { argumentList: unknown } }).message.argumentList, [{ type: "RAW", value: null }]);
});

test("a reply is RAW, or the handler throw, to an id that is a count", () => {
  for (const id of [undefined, null, "1", -1, 0.5, Number.NaN, 2 ** 53, {}])
    assert.match(refused(reply({ id })), "not a count");
  for (const type of [undefined, null, "raw", "HANDLER", "APPLY"])
    assert.match(refused(reply({ type })), "no known type");
  for (const name of [undefined, "proxy", "constructor"])
    assert.match(refused(reply({ type: "HANDLER", name })), "no known type");
  for (const value of [null, "x", [], 1])
    assert.match(refused(reply({ type: "HANDLER", name: "throw", value })), "not an object");
});

test("a compact reply is an id that is a count, and a value within the wire's limits", () => {
  const value = { a: [1, "x", true, null] };
  assert.equal(readUpMessage([9, value]), { kind: "reply", message: { id: 9, type: "RAW", value } });
  for (const list of [[], [9], [9, null, null], ["started"], new Array(4294967295)])
    assert.match(refused(list), "not an id and a value");
  for (const id of [undefined, null, "1", -1, 0.5, Number.NaN, 2 ** 53, {}])
    assert.match(refused([id, null]), "not a count");
  assert.match(refused([9, JSON.parse("[".repeat(100) + "]".repeat(100))]), "nested too deeply");
  assert.match(refused([9, JSON.parse('{"__proto__":1}')]), "__proto__");
});

test("an error's fields are cut, and what is of a wrong type is left out", () => {
  const long = "x".repeat(100_000);
  const read = readUpMessage(
    reply({
      type: "HANDLER",
      name: "throw",
      value: { name: long, message: long, code: long, kind: long, stack: long, file: long, line: 1 },
    }),
  ) as { message: { value: Record<string, string> } };
  const { name, message, code, kind, stack, file } = read.message.value;
  const lengths = [name, message, code, kind, stack, file].map((one) => one?.length);
  assert.equal(lengths, [128, LIMITS.messageChars, 64, 32, 4 * LIMITS.messageChars, 512]);
  const wrong = { name: 1, message: {}, code: 1, kind: [], stack: null, file: 1, line: -1 };
  const plain = readUpMessage(reply({ type: "HANDLER", name: "throw", value: wrong })) as {
    message: { value: unknown };
  };
  assert.equal(plain.message.value, { name: "Error", message: "" });
  for (const line of ["1", 0, 1.5, 2 ** 53]) {
    const cut = readUpMessage({ kind: "crashed", origin: "x", error: { name: "E", message: "", line } });
    assert.equal((cut as { error: unknown }).error, { name: "E", message: "" });
  }
});

test("every other field is held to its type", () => {
  for (const id of [undefined, "4", -1, 1.5]) assert.match(refused({ kind: "dropped", id }), "not a count");
  for (const stage of [undefined, "", "constructor", ["init"]]) {
    assert.match(refused({ kind: "failed", stage, error: {} }), "no known stage");
  }
  for (const stage of ["load", "export", "init", "protocol"]) readUpMessage({ kind: "failed", stage, error: {} });
  assert.match(refused({ kind: "failed", stage: "init" }), "an error is not an object");
  assert.match(refused({ kind: "crashed", origin: 1, error: {} }), "not a short text");
  assert.match(refused({ kind: "crashed", origin: "x".repeat(65), error: {} }), "not a short text");
  assert.match(refused({ kind: "crashed", origin: "x" }), "an error is not an object");
  for (const field of ["protocol", "thread"]) {
    for (const value of [undefined, "1", -1, 1.5])
      assert.match(refused({ ...HONEST.hello, [field]: value }), "not a count");
  }
  for (const runtime of [undefined, 1, "x".repeat(65)])
    assert.match(refused({ ...HONEST.hello, runtime }), "not a short text");
  for (const name of [undefined, 1, "x".repeat(65)])
    assert.match(refused({ ...HONEST.notice, name }), "not a short text");
  for (const args of [undefined, {}, "x"]) assert.match(refused({ ...HONEST.notice, args }), "not a list");
  assert.match(refused(notice(...new Array(9).fill(0))), "too many");
});

test("depth and parts of a value are bounded, exactly", () => {
  const nest = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
  const places: Array<(value: unknown) => unknown> = [
    (value) => notice(value),
    (value) => reply({ value }),
    (value) => request({ argumentList: [{ type: "RAW", value }] }),
  ];
  for (const place of places) {
    readUpMessage(place(nest(LIMITS.jsonDepth)));
    for (const depth of [LIMITS.jsonDepth + 1, 20_000, 400_000])
      assert.match(refused(place(nest(depth))), "too deeply");
    readUpMessage(place(new Array(LIMITS.jsonNodes).fill(0)));
    assert.match(refused(place(new Array(LIMITS.jsonNodes + 1).fill(0))), "too many parts");
    const wide = Object.fromEntries(Array.from({ length: LIMITS.jsonNodes + 1 }, (_, i) => [`k${i}`, 0]));
    assert.match(refused(place(wide)), "too many parts");
    const spread = new Array(LIMITS.jsonNodes / 10).fill(0).map(() => new Array(10).fill(0));
    assert.match(refused(place(spread)), "too many parts");
  }
});

test("a key __proto__ is refused wherever a value goes on to the host", () => {
  const value = JSON.parse('{"a":[{"__proto__":{"polluted":1}}]}') as unknown;
  for (const message of [notice(value), reply({ value }), request({ argumentList: [{ type: "RAW", value }] })]) {
    assert.match(refused(message), "__proto__");
  }
  assert.is((Object.prototype as Record<string, unknown>).polluted, undefined);
});

test("a __proto__ key around the fields gives them nothing", () => {
  const text = '{"__proto__":{"kind":"started"},"kind":"dropped","id":1}';
  assert.equal(readUpMessage(JSON.parse(text)), { kind: "dropped", id: 1 });
});

test.run();
