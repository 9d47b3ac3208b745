/** JSON text is read as JSON.parse does, but strictly, and with line and column of every mistake. */
import fc from "fast-check";
import { type JsonText, type Place, readJsonText } from "#dist/policy/manifest/json-text.js";
import { assert, suite } from "../../harness.js";

const test = suite("policy/manifest/json-text");

class Mistake extends Error {
  readonly rule: string;
  readonly place: Place;
  constructor(rule: string, place: Place) {
    super(`${place.line}:${place.column}: ${rule}`);
    this.rule = rule;
    this.place = place;
  }
}

function read(text: string): JsonText {
  return readJsonText(text, (rule, place) => {
    throw new Mistake(rule, place);
  });
}

function mistake(text: string): Mistake {
  try {
    read(text);
  } catch (error) {
    if (error instanceof Mistake) return error;
    throw error;
  }
  throw new Error(`expected a mistake in ${text}`);
}

test("what JSON.parse reads, it reads alike", () => {
  const json = fc.json({ maxDepth: 6 }).filter((text) => !text.includes("__proto__"));
  fc.assert(fc.property(json, (text) => assert.equal(read(text).value, JSON.parse(text))));
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, 2, "\t"), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      if (!text.includes("__proto__")) assert.equal(read(text).value, JSON.parse(text));
    }),
  );
});

test("what JSON.parse refuses, it refuses too", () => {
  const near = fc.array(fc.constantFrom(...'{}[]":,\\u0aA1-.eE+ \n\t', "true", "null", "\u0001"), { maxLength: 14 });
  fc.assert(
    fc.property(near, (pieces) => {
      const text = pieces.join("");
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      if (!parses) assert.ok(mistake(text).message);
    }),
    { numRuns: 2000 },
  );
});

test("a mistake names its line and column", () => {
  assert.is(mistake('{\n  "a": 1,\n  "b" 2\n}').message, '3:7: unexpected "2"; expected ":" after the key');
  assert.is(mistake('{"a": 1,}').message, '1:9: trailing comma before "}"');
  assert.is(mistake('{\n  "a": [1 2]}').place.line, 2);
  assert.match(mistake('{"a": "x').rule, "unterminated string");
  assert.match(mistake('{"a": "\\x"}').rule, "bad escape");
  assert.match(mistake('{"a"').rule, "unexpected end of text");
  assert.match(mistake("// hello\n{}").rule, "no comments");
  assert.match(mistake("{} {}").rule, "after the JSON value");
  assert.match(mistake('{"a": nul}').rule, '"nul" is not a JSON value');
});

test("a key given twice, __proto__, a number out of range and a deep nest are refused", () => {
  assert.is(mistake('{\n"a": 1,\n"a": 2}').message, '3:1: duplicate key "a"');
  assert.match(mistake('{"a": 1, "\\u0061": 2}').rule, "duplicate key");
  assert.match(mistake('{"x": {"__proto__": {}}}').rule, "__proto__");
  assert.match(mistake('{"x": {"__pr\\u006fto__": {}}}').rule, "__proto__");
  assert.match(mistake('{"a": 1e999}').rule, "out of range");
  assert.match(mistake("[".repeat(40_000)).rule, "nested deeper");
  assert.match(mistake(`[${"1,".repeat(60_000)}1]`).rule, "values");
});

test("a long key costs its own length, not that of every value under it", () => {
  // Whole paths kept for every value once made of this text, which a plugin can bring, gigabytes.
  const text = `{"${"k".repeat(30_000)}":[${"0,".repeat(2500)}0]}`;
  const before = process.memoryUsage().heapUsed;
  const { value } = read(text);
  assert.is(Object.keys(value as object).length, 1);
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 16 * 2 ** 20, `${grown} bytes`);
});

test("it knows where each member stands; a byte order mark is not part of the text", () => {
  const text = read('\uFEFF{\n  "a": {\n    "b": [1,\n 2]}}');
  assert.equal(text.place(["a", "b"]), { line: 3, column: 5 });
  assert.equal(text.place(["a", "b", 1]), { line: 4, column: 2 });
  assert.equal(text.place([]), { line: 1, column: 2 });
  assert.is(text.place(["a", "b", "1"]), undefined);
  assert.is(text.place(["a", "b", 1, "c"]), undefined);
  assert.is(text.place(["c"]), undefined);
});

test.run();
