/** For any text: a newly built message, or a ProtocolViolation, and soon. */
import fc from "fast-check";
import { decodeUp, ProtocolViolation, routeHeader } from "#dist/protocol/frame.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { readUpMessage } from "#dist/protocol/read-up.js";
import { assert, suite } from "../harness.js";
import { HONEST } from "./messages.js";

const test = suite("protocol: hostile frames");
const HEADER = routeHeader(1);

/** Reads a frame whole; undefined when it was refused. */
function read(data: unknown): readonly unknown[] | undefined {
  try {
    return decodeUp(HEADER, data).messages.map(readUpMessage);
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined;
    throw error;
  }
}

/** Values that trip readers, and any other JSON value. */
const poison = fc.oneof(
  fc.constantFrom(
    null,
    0,
    -1,
    1e308,
    "",
    "__proto__",
    "constructor",
    [],
    {},
    [[]],
    { length: 1 },
    { toString: 1 },
    JSON.parse('{"__proto__":{"a":1}}') as object,
  ),
  fc.jsonValue({ maxDepth: 4 }),
);

/** An honest message with one of its values, at any depth, exchanged, removed or added. */
const mutated = fc
  .tuple(
    fc.constantFrom(...Object.values(HONEST)),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), poison, fc.string()), { maxLength: 4 }),
  )
  .map(([message, changes]) => {
    const copy = structuredClone(message) as Record<string, unknown>;
    for (const [at, how, value, key] of changes) {
      const places: Array<[Record<string, unknown>, string]> = [];
      const walk = (item: unknown): void => {
        if (typeof item !== "object" || item === null) return;
        for (const name of Object.keys(item)) {
          places.push([item as Record<string, unknown>, name]);
          walk((item as Record<string, unknown>)[name]);
        }
      };
      walk(copy);
      const place = places[at % Math.max(1, places.length)];
      if (!place) continue;
      const [holder, name] = place;
      if (how === 0) delete holder[name];
      else
        Reflect.defineProperty(holder, how === 1 ? key : name, {
          value: structuredClone(value),
          enumerable: true,
          configurable: true,
          writable: true,
        });
    }
    return copy;
  });

test("any JSON value as a message is read or refused", () => {
  fc.assert(
    fc.property(poison, (value) => void read(`${HEADER}${JSON.stringify([0, value])}`)),
    { numRuns: 2000 },
  );
});

test("any mutation of an honest message is read or refused, and what is read has the fields of its kind alone", () => {
  const fields: Record<string, readonly string[]> = {};
  for (const one of Object.values(HONEST)) fields[one.kind as string] = Object.keys(one);
  fc.assert(
    fc.property(mutated, (value) => {
      for (const message of read(`${HEADER}${JSON.stringify([0, value])}`) ?? []) {
        const { kind } = message as { kind: string };
        assert.equal(Object.keys(message as object).sort(), [...(fields[kind] ?? [])].sort());
        assert.is(Object.getPrototypeOf(message), Object.prototype);
        assert.not.match(JSON.stringify(message), '"__proto__":');
      }
    }),
    { numRuns: 3000 },
  );
});

test("any mutation of an honest frame's text is read or refused", () => {
  const honest = `${HEADER}${JSON.stringify([3, ...Object.values(HONEST)])}`;
  const edits = fc.array(fc.tuple(fc.nat(honest.length), fc.nat(6), fc.string({ maxLength: 5 })), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(edits, (list) => {
      let text = honest;
      for (const [at, removed, added] of list) text = text.slice(0, at) + added + text.slice(at + removed);
      read(text);
    }),
    { numRuns: 3000 },
  );
});

test("any text is refused or read", () => {
  fc.assert(fc.property(fc.string(), (text) => void read(text)));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void read(HEADER + text)));
});

test("nothing within the length limit takes long to refuse", () => {
  const room = LIMITS.frameChars - HEADER.length;
  const fill = (open: string, part: string, close: string): string =>
    open + part.repeat(Math.floor((room - open.length - close.length) / part.length)) + close;
  const half = Math.floor((room - 2) / 2);
  const counted = (make: (i: number) => string, open: string, close: string): string => {
    const parts: string[] = [];
    let length = open.length + close.length;
    for (let i = 0; length < room - 300; i++) {
      const part = make(i);
      parts.push(part);
      length += part.length + 1;
    }
    return open + parts.join(",") + close;
  };
  const wrap = (value: string): string => `[0,{"kind":"notice","name":"x","args":[${value}]}]`;
  const body = room - wrap("").length;
  const inputs: Record<string, string> = {
    brackets: "[".repeat(room),
    "closed brackets": `[${"[".repeat(half)}${"]".repeat(half)}]`,
    braces: fill("", '{"":', ""),
    "nested in a notice": wrap("[".repeat(body / 2) + "]".repeat(body / 2)),
    "nested objects": wrap('{"a":'.repeat(Math.floor((body - 1) / 6)) + 1 + "}".repeat(Math.floor((body - 1) / 6))),
    "empty objects": fill("[0", ",{}", "]"),
    "empty lists": fill("[0", ",[]", "]"),
    zeros: fill("[0", ",0", "]"),
    "long numbers": fill("[0", ",1234567890.123456789e-100", "]"),
    "one number": fill("[0,1", "9", "]"),
    escapes: fill('[0,"', "\\u0041", '"]'),
    "one key twice": fill('[0,{"a":1', ',"a":1', "}]"),
    "distinct keys": counted((i) => `"k${i.toString(36)}":1`, "[0,{", "}]"),
    "sparse indexes": counted((i) => `"${(i * 104_729) % 4_294_967_295}":1`, "[0,{", "}]"),
    "colliding indexes": counted((i) => `"${1_000_013_824 + i * 65_536}":1`, "[0,{", "}]"),
    "colliding strings": counted((i) => `"${1_000_013_824 + i * 65_536}"`, "[0,", "]"),
    "keys in a notice": wrap(
      counted((i) => `"k${i.toString(36)}":1`, "{", "}")
        .slice(0, -80)
        .replace(/,[^,]*$/, "}"),
    ),
    "many notices": fill("[0", ',{"kind":"notice","name":"x","args":[{},{},{},{}]}', "]"),
    "many kinds": counted((i) => JSON.stringify(Object.values(HONEST)[i % 9]), "[0,", "]"),
    spaces: fill("[0", " ", "]"),
    wide: fill('[0,"', "\u4e00", '"]'),
  };
  let slowest = { name: "", ms: 0 };
  for (const [name, text] of Object.entries(inputs)) {
    assert.ok(HEADER.length + text.length <= LIMITS.frameChars, `${name} is over the limit`);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const before = process.cpuUsage();
      read(HEADER + text);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1000);
    }
    assert.ok(best < 500, `${name}: ${best} ms of the processor`);
    if (best > slowest.ms) slowest = { name, ms: best };
  }
  console.log(
    `\nNOTE protocol: the slowest of ${Object.keys(inputs).length} hostile frames, "${slowest.name}", is refused in ${slowest.ms.toFixed(1)} ms of the processor`,
  );
});

test.run();
