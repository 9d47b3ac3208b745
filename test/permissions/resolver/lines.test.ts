/** Lines between the platform and the resolver's process, in whatever pieces they come. */
import { LineReader } from "#dist/permissions/resolver/server/lines.js";
import { assert, suite } from "../../harness.js";

const test = suite("permissions/resolver/lines");

test("several lines in a piece, one line in several, and a character that is cut", () => {
  const reader = new LineReader(16);
  assert.equal(reader.read(Buffer.from("one\ntwo\nth")), ["one", "two"]);
  assert.equal(reader.read(Buffer.from("re")), []);
  assert.equal(reader.read(Buffer.from("e\n\n")), ["three", ""]);
  const [first, second] = [Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1)];
  assert.equal(reader.read(first), []);
  assert.equal(reader.read(second), ["é"]);
});

test("a line that is too long is refused, before its end has come too", () => {
  assert.equal(new LineReader(4).read(Buffer.from("1234\n")), ["1234"]);
  assert.is(new LineReader(4).read(Buffer.from("12345\n")), undefined);
  const reader = new LineReader(4);
  assert.equal(reader.read(Buffer.from("123")), []);
  assert.is(reader.read(Buffer.from("45")), undefined);
});

test.run();
