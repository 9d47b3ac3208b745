/** The bundler process has read hostile files: what it answers is checked before it is used. */
import { type Answer, answerLength, decodeAnswer, encodeAnswer } from "#dist/bundler/messages.js";
import { assert, suite } from "../harness.js";

const test = suite("bundler: answer");
const hash = "0".repeat(64);

/** An answer laid out with a header of one's own. */
function laidOut(header: unknown, code = "", map = ""): Buffer {
  const parts = [JSON.stringify(header), code, map].map((text) => Buffer.from(text));
  const prefix = Buffer.alloc(12);
  for (const [index, part] of parts.entries()) prefix.writeUInt32BE(part.length, index * 4);
  return Buffer.concat([prefix, ...parts]);
}

test("what is encoded is decoded", () => {
  const answers: Answer[] = [
    { ok: true, code: "var a", sourceMap: "{}", files: [{ path: "a/é.js", sha256: hash }] },
    { ok: true, code: "var a", sourceMap: "{}", files: [], imports: hash },
    { ok: false, code: "ERR_PLUGIN_SYNTAX", message: "a.js:1: no", file: "a.js", line: 1 },
  ];
  for (const answer of answers) {
    const bytes = encodeAnswer(answer);
    assert.is(answerLength(bytes.subarray(0, 11)), undefined);
    assert.is(answerLength(bytes.subarray(0, 12)), bytes.length);
    assert.equal(decodeAnswer(bytes), answer);
  }
});

test("a part over its cap is refused by its length alone", () => {
  for (const at of [0, 4, 8]) {
    const prefix = Buffer.alloc(12);
    prefix.writeUInt32BE(0x7fffffff, at);
    assert.throws(() => answerLength(prefix), /bytes/);
  }
});

test("a header that no honest bundler writes", () => {
  for (const header of [
    null,
    1,
    {},
    { ok: true },
    { ok: true, files: [["../a", hash]] },
    { ok: true, files: [["/a", hash]] },
    { ok: true, files: [["", hash]] },
    { ok: true, files: [["a", "short"]] },
    { ok: true, files: [["a"]] },
    { ok: true, files: { length: 1 } },
    { ok: true, files: [], imports: "short" },
    { ok: true, files: [], imports: [hash] },
    { ok: true, files: Array.from({ length: 9000 }, () => ["a", hash]) },
    { ok: false, code: "ERR_HOST_CLOSED", message: "" },
    { ok: false, code: "ERR_PLUGIN_FILE" },
    { ok: false, code: "__proto__", message: "" },
  ]) {
    assert.throws(() => decodeAnswer(laidOut(header)), /./, JSON.stringify(header)?.slice(0, 80));
  }
});

test("a message is one line of bounded length, without control characters", () => {
  const text = `\x1b[2J\u202e\u2028\n${"x".repeat(10_000)}`;
  const answer = decodeAnswer(laidOut({ ok: false, code: "ERR_PLUGIN_FILE", message: text, file: text, line: -1 }));
  assert.not.ok(answer.ok);
  if (answer.ok) return;
  for (const shown of [answer.message, answer.file ?? ""]) {
    assert.match(shown, /^\\u\{1b\}\[2J\\u\{202e\}\\u\{2028\}\\u\{a\}x+…$/);
    assert.ok(shown.length < 4200);
  }
  assert.is(answer.line, undefined);
});

test.run();
