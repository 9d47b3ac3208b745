import fc from "fast-check";
import { copyJson, JsonError, parseOptions } from "#dist/driverapi/json.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: json");
const LIMITS = { depth: 32, nodes: 20_000 };

function jsonError(value: unknown, limits: { depth: number; nodes: number; chars?: number } = LIMITS): JsonError {
  try {
    copyJson(value, limits);
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
  throw new Error("expected a JsonError");
}

test("a copy of JSON is what stringify and parse make", () => {
  const json = fc.jsonValue({ maxDepth: 8 }).filter((value) => !JSON.stringify(value).includes('"__proto__"'));
  fc.assert(
    fc.property(json, (value) => {
      assert.equal(copyJson(value, LIMITS), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("undefined properties are dropped, undefined elements and holes become null, -0 becomes 0", () => {
  // biome-ignore lint/suspicious/noSparseArray: a hole is the case
  const value = { a: undefined, b: [undefined, 1, , 2], c: -0 };
  const copy = copyJson(value, LIMITS);
  assert.equal(copy, JSON.parse(JSON.stringify(value)));
  assert.is(Object.hasOwn(copy as object, "a"), false);
  assert.ok(Object.is((copy as { c: number }).c, 0));
});

test("what JSON does not list is not there: properties that are not enumerable, named ones of an array", () => {
  const value = Object.defineProperty({ a: 1 }, "hidden", { value: () => 1, enumerable: false });
  assert.equal(copyJson(value, LIMITS), { a: 1 });
  const copy = copyJson(Object.assign([1], { named: 2 }), LIMITS);
  assert.equal(Object.keys(copy as object), ["0"]);
});

test("the copy shares nothing, has plain prototypes, and names of Object.prototype are own properties", () => {
  const inner = { x: 1 };
  const value = Object.assign(Object.create(null), { inner, toString: "mine", constructor: 1, hasOwnProperty: null });
  const copy = copyJson(value, LIMITS) as Record<string, unknown>;
  assert.is(Object.getPrototypeOf(copy), Object.prototype);
  assert.ok(copy.inner !== inner);
  assert.equal(Object.keys(copy), ["inner", "toString", "constructor", "hasOwnProperty"]);
});

test("names of a frozen Object.prototype can be copied too", () => {
  const holder = { valueOf: 7 };
  const descriptor = Object.getOwnPropertyDescriptor(Object.prototype, "valueOf");
  if (descriptor === undefined) throw new Error("no valueOf");
  try {
    Object.defineProperty(Object.prototype, "valueOf", { ...descriptor, writable: false });
    assert.is((copyJson(holder, LIMITS) as unknown as { valueOf: number }).valueOf, 7);
  } finally {
    Object.defineProperty(Object.prototype, "valueOf", descriptor);
  }
});

test("what is not plain data is refused, with its place", () => {
  class Thing {}
  const wrong: [unknown, string][] = [
    [() => 1, "a function"],
    [Symbol("s"), "a symbol"],
    [1n, "a bigint"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [new Thing(), "class"],
    [new Date(0), "class"],
    [new Map(), "class"],
    [new Uint8Array(2), "class"],
    [Promise.resolve(), "class"],
    [Object.create({ inherited: 1 }), "class"],
    [new String("x"), "class"],
    [{ toJSON: () => 1 }, "a function"],
    [{ [Symbol("s")]: 1 }, "symbol"],
    [JSON.parse('{"__proto__":{}}'), "__proto__"],
  ];
  for (const [value, words] of wrong) {
    const error = jsonError({ a: [0, { "odd key": value }] });
    assert.match(error.rule, words);
    assert.ok(error.path.startsWith('.a[1]["odd key"]'), error.path);
  }
  assert.match(jsonError(undefined).message, "the value: undefined is not JSON");
});

test("no getter, setter, toJSON or iterator is ever called", () => {
  let called = 0;
  const getter = {
    get x() {
      return ++called;
    },
  };
  assert.match(jsonError(getter).rule, "getter");
  assert.match(
    jsonError({
      set x(_value: number) {
        called++;
      },
    }).rule,
    "getter",
  );
  const array = [1];
  Object.defineProperty(array, 0, { get: () => ++called, enumerable: true });
  assert.match(jsonError(array).rule, "getter");
  const iterable = Object.assign([1], {
    [Symbol.iterator]: () => {
      called++;
      throw new Error("iterated");
    },
  });
  assert.equal(copyJson(iterable, LIMITS), [1]);
  const watched = new Proxy({ x: 1 }, { get: () => ++called });
  assert.equal(copyJson(watched, LIMITS), { x: 1 });
  assert.is(called, 0);
});

test("a proxy that throws, lies or is revoked becomes a JsonError", () => {
  const throwing = (thrown: unknown): object => {
    const trap = (): never => {
      throw thrown;
    };
    return new Proxy({}, { getPrototypeOf: trap, ownKeys: trap, getOwnPropertyDescriptor: trap });
  };
  const worse = new Proxy(
    {},
    {
      get() {
        throw 1;
      },
      getPrototypeOf() {
        throw 2;
      },
    },
  );
  for (const thrown of [undefined, null, "x", new Error("x"), worse]) {
    assert.match(jsonError({ a: throwing(thrown) }).message, "the value.a: it could not be read");
  }
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.match(jsonError([proxy]).path, "[0]");
  const long = new Proxy([], {
    getOwnPropertyDescriptor: (target, key) =>
      key === "length" ? { value: 4294967295, writable: true } : Reflect.getOwnPropertyDescriptor(target, key),
  });
  assert.match(jsonError(long).rule, "more than 20000 values");
});

test("cycles and deep nesting end at the depth limit", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  assert.match(jsonError(cycle).rule, "deeper than 32");
  const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
  assert.equal(copyJson(nest(32), LIMITS), nest(32));
  assert.match(jsonError(nest(33)).rule, "deeper than 32");
  let deep: unknown = 1;
  for (let i = 0; i < 1_000_000; i++) deep = [deep];
  assert.match(jsonError(deep).rule, "deeper than 32");
});

test("the node limit is exact, and doublings of shared objects end at it", () => {
  const list = new Array(9).fill(0);
  assert.equal(copyJson(list, { depth: 1, nodes: 10 }), list);
  assert.match(jsonError(list, { depth: 1, nodes: 9 }).rule, "more than 9 values");
  assert.match(jsonError({ a: 1, b: 2 }, { depth: 1, nodes: 2 }).rule, "more than 2 values");
  assert.match(jsonError([[0, 0], 0], { depth: 2, nodes: 4 }).rule, "more than 4 values");
  const undefineds = Object.fromEntries(list.map((_, i) => [`k${i}`, undefined]));
  assert.match(jsonError(undefineds, { depth: 1, nodes: 8 }).rule, "more than 8 values");
  let bomb: unknown = 1;
  for (let i = 0; i < 31; i++) bomb = [bomb, bomb];
  assert.match(jsonError(bomb).rule, "more than 20000 values");
});

test("arrays of huge length cost nothing", () => {
  const started = performance.now();
  for (let i = 0; i < 1000; i++) assert.match(jsonError(new Array(4294967295)).rule, "more than");
  assert.ok(performance.now() - started < 1000);
});

test("characters are bounded where asked", () => {
  const limits = { depth: 4, nodes: 10, chars: 5 };
  assert.equal(copyJson({ ab: "cde" }, limits), { ab: "cde" });
  assert.match(jsonError({ ab: "cdef" }, limits).rule, "more than 5 characters");
  assert.match(jsonError({ abcdef: 1 }, limits).rule, "more than 5 characters");
});

test("options are an object; undefined is {}", () => {
  assert.equal(parseOptions(undefined, LIMITS), {});
  assert.equal(parseOptions({ a: { b: [1] } }, LIMITS), { a: { b: [1] } });
  for (const value of [null, [], "x", 1, true, () => 1, new Map(), { a: { b: 1n } }]) {
    assert.is(refusal(() => parseOptions(value, LIMITS)).code, "ERR_BAD_OPTIONS");
  }
  assert.is(refusal(() => parseOptions({ a: [1n] }, LIMITS)).message, "options.a[0]: a bigint is not JSON");
});

test("keys kept for the host are refused unless allowed", () => {
  const options = { "bulkhead.replay": true };
  assert.match(refusal(() => parseOptions(options, LIMITS)).message, '"bulkhead.replay"');
  assert.is(refusal(() => parseOptions(options, LIMITS)).code, "ERR_BAD_OPTIONS");
  assert.equal(parseOptions(options, LIMITS, true), options);
  assert.equal(parseOptions({ bulkhead: 1, "a.bulkhead.": 2 }, LIMITS), { bulkhead: 1, "a.bulkhead.": 2 });
});

test("a hostile path is shown short and on one line", () => {
  let value: unknown = 1n;
  for (let i = 0; i < 20; i++) value = { [`${"k".repeat(100)}\n`]: value };
  const { message } = jsonError(value);
  assert.ok(message.length < 300, message);
  assert.not.match(message, /\n/);
});

test.run();
