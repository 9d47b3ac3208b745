import fc from "fast-check";
import { parseOptions } from "#dist/driverapi/json.js";
import { optionsText } from "#dist/driverapi/options-text.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: options as text");
const LIMITS = { depth: 32, nodes: 20_000 };

const run = (): never => {
  throw new Error("it was run");
};

function refused(options: unknown, limits: { depth: number; nodes: number; chars?: number } = LIMITS): void {
  assert.is(refusal(() => optionsText(options, limits)).code, "ERR_BAD_OPTIONS");
  assert.is(refusal(() => parseOptions(options, limits)).code, "ERR_BAD_OPTIONS");
}

function asCopied(options: object, text: string): void {
  assert.is(optionsText(options, LIMITS), text);
  assert.is(JSON.stringify(parseOptions(options, LIMITS)), text);
}

test("the text of options is that of their copy, or they are refused alike", () => {
  const outcome = (work: () => string): string => {
    try {
      return work();
    } catch (error) {
      return String(error);
    }
  };
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (options) => {
      const copied = outcome(() => JSON.stringify(parseOptions(options, LIMITS)));
      assert.is(
        outcome(() => optionsText(options, LIMITS)),
        copied,
      );
    }),
  );
  assert.is(optionsText(undefined, LIMITS), "{}");
});

test("so is the text of what JSON would drop", () => {
  // biome-ignore lint/suspicious/noSparseArray: a hole is a case
  asCopied({ a: undefined, b: [undefined, -0, , 1], toJSON: 1 }, '{"b":[null,0,null,1],"toJSON":1}');
  asCopied(Object.defineProperty({ a: 1 }, "hidden", { value: run }), '{"a":1}');
  asCopied(Object.defineProperty({ a: 1 }, "hidden", { value: 2 }), '{"a":1}');
  asCopied({ a: { "bulkhead.b": 1 } }, '{"a":{"bulkhead.b":1}}');
  asCopied(Object.assign(Object.create(null), { a: 1 }), '{"a":1}');
});

test("what their copy refuses is refused", () => {
  for (const options of [
    null,
    [1],
    "{}",
    { "bulkhead.replay": true },
    { a: 1n },
    { a: run },
    { a: Symbol("a") },
    { [Symbol("a")]: 1 },
    { a: Number.NaN },
    JSON.parse('{"__proto__":1}'),
    { a: JSON.parse('{"__proto__":1}') },
    { a: new Date(0) },
    { a: new Map() },
  ])
    refused(options);
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  refused(loop);
});

test("its bounds are those of the copy, to the last value", () => {
  const nested = { a: { b: [1, "two"] } };
  const bounds = { depth: 3, nodes: 5, chars: 5 };
  assert.is(optionsText(nested, bounds), JSON.stringify(nested));
  for (const name of ["depth", "nodes", "chars"] as const) refused(nested, { ...bounds, [name]: bounds[name] - 1 });
});

test("no getter, setter or toJSON is ever called, and a proxy is taken for what its descriptors say", () => {
  const array = Object.defineProperty([1], 0, { get: run, enumerable: true });
  for (const options of [
    { toJSON: run },
    Object.defineProperty({}, "a", { get: run, enumerable: true }),
    Object.defineProperty({}, "a", { set: run, enumerable: true }),
    { a: array },
  ])
    refused(options);
  asCopied(Object.defineProperty({}, "toJSON", { value: run }), "{}");
  asCopied({ a: Object.defineProperty([], "toJSON", { value: run }) }, '{"a":[]}');
  asCopied({ a: Object.defineProperty({}, "b", { get: run }) }, '{"a":{}}');
  asCopied(new Proxy({ a: 1 }, { get: () => run }), '{"a":1}');
  asCopied(new Proxy({ a: 1 }, { get: (_target, key) => (key === "toJSON" ? () => "no object" : 2) }), '{"a":1}');
  refused(new Proxy({}, { ownKeys: run }));
});

test.run();
