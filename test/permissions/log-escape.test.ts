/** A plugin's text in a log: one visible line, whatever it holds. */
import fc from "fast-check";
import { escapeLine } from "#dist/common/escape.js";
import { assert, suite } from "../harness.js";

const test = suite("log escaping");

test("plain text stays as it is", () => {
  for (const text of ["", "hello, world", 'Grüße 東京 éé 🙂 \\n {"a": 1}', "a/b\\c|d"])
    assert.is(escapeLine(text, 100), text);
});

test("line breaks cannot forge a line", () => {
  assert.is(escapeLine('ok\n{"level":50,"msg":"forged"}\r\tx', 100), 'ok\\n{"level":50,"msg":"forged"}\\r\\tx');
  assert.is(escapeLine("a\u2028b\u2029c\u0085d\u000bd\u000ce", 100), "a\\u{2028}b\\u{2029}c\\u{85}d\\u{b}d\\u{c}e");
});

test("terminals get nothing to act on", () => {
  assert.is(
    escapeLine("\u001b[31mred\u001b]0;title\u0007\u009b2J\u007f\b\u0000", 200),
    "\\u{1b}[31mred\\u{1b}]0;title\\u{7}\\u{9b}2J\\u{7f}\\u{8}\\u{0}",
  );
});

test("every control, bidi, invisible and lone surrogate code point is shown", () => {
  const ranges: Array<readonly [number, number]> = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0xa0, 0xa0],
    [0xad, 0xad],
    [0x34f, 0x34f],
    [0x61c, 0x61c],
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
    [0x180b, 0x180f],
    [0x2000, 0x200f],
    [0x2028, 0x202f],
    [0x205f, 0x206f],
    [0x2800, 0x2800],
    [0x3000, 0x3000],
    [0x3164, 0x3164],
    [0xd800, 0xdfff],
    [0xe000, 0xe010],
    [0xfe00, 0xfe0f],
    [0xfeff, 0xfeff],
    [0xffa0, 0xffa0],
    [0xfff0, 0xfffb],
    [0xfffe, 0xffff],
    [0x1d173, 0x1d17a],
    [0xe0000, 0xe01ef],
  ];
  for (const [first, last] of ranges) {
    for (let point = first; point <= last; point++) {
      const shown = escapeLine(`a${String.fromCodePoint(point)}b`, 100);
      assert.ok(/^a\\(?:[nrt]|u\{[0-9a-f]+\})b$/.test(shown), `${point.toString(16)}: ${JSON.stringify(shown)}`);
    }
  }
});

test("a tower of marks is cut to four", () => {
  assert.is(escapeLine(`a${"\u0301".repeat(500)}b`, 1000), `a${"\u0301".repeat(4)}b`);
});

test("a cut keeps to its length, and escapes and pairs whole", () => {
  assert.is(escapeLine("abcdef", 6), "abcdef");
  assert.is(escapeLine("abcdefg", 6), "abcde…");
  assert.is(escapeLine("abc\ndef", 7), "abc\\nd…");
  assert.is(escapeLine("ab\u202edef", 6), "ab…");
  assert.is(escapeLine("abc🙂🙂", 5), "abc…");
  assert.is(escapeLine("x", 1), "x");
  assert.is(escapeLine("xy", 1), "…");
});

test("any string: bounded, visible, and the same when escaped again", () => {
  const unsafe = fc.constantFrom("\n", "\u001b", "\u202e", "\u2028", "\ud800", "\udc00", "\u200b", "🙂", "\u0301", " ");
  const text = fc.array(fc.oneof(fc.string({ unit: "binary" }), unsafe)).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 80 }), (given, max) => {
      const line = escapeLine(given, max);
      assert.ok(line.length <= max, "too long");
      assert.not.match(line, /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
      assert.is(escapeLine(line, max), line);
    }),
    { numRuns: 500 },
  );
});

test("a huge string costs no more than its first part", () => {
  const text = "\n".repeat(1 << 24);
  const started = performance.now();
  assert.is(escapeLine(text, 4096).length, 4095);
  assert.ok(performance.now() - started < 500);
});

test.run();
