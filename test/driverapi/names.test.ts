import fc from "fast-check";
import {
  parseId,
  parseInterfaceName,
  parseInterfacePrefix,
  parseScope,
  parseTypeName,
  utf8Length,
} from "#dist/driverapi/names.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: names");

const NOT_STRINGS = [undefined, null, 0, 1n, true, {}, [], ["a"], () => "a", Symbol("a"), new String("a")];

test("ids are opaque strings of 1 to 256 bytes", () => {
  for (const id of [
    "a",
    "a.b/c",
    "__proto__",
    "constructor",
    "\0",
    " ",
    "ü",
    "😀",
    "x".repeat(256),
    "ü".repeat(128),
    "😀".repeat(64),
  ]) {
    assert.is(parseId(id, "network"), id);
  }
  for (const id of ["", "x".repeat(257), `${"ü".repeat(128)}x`, "😀".repeat(65), ...NOT_STRINGS]) {
    assert.is(refusal(() => parseId(id, "network")).code, "ERR_BAD_ID");
  }
  assert.match(refusal(() => parseId("", "sandbox")).message, '"" is not a sandbox id');
});

test("an id with a lone surrogate is refused: as UTF-8 it would equal another", () => {
  for (const id of ["\ud800", "a\udc00", "\ud800a", "\udc00\ud800"]) {
    assert.is(refusal(() => parseId(id, "endpoint")).code, "ERR_BAD_ID");
  }
});

test("UTF-8 length is what TextEncoder says", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.is(utf8Length(text), new TextEncoder().encode(text).length);
    }),
  );
});

test("type names have no dot and no surprises", () => {
  for (const name of ["bridge", "Bridge2", "my-net_1", "0", "x".repeat(64), "constructor"]) {
    assert.is(parseTypeName(name), name);
  }
  for (const name of [
    "",
    ".",
    "a.b",
    "__proto__",
    "_a",
    "-a",
    "a b",
    "a\n",
    "bridgé",
    "a/b",
    "x".repeat(65),
    ...NOT_STRINGS,
  ]) {
    assert.is(refusal(() => parseTypeName(name)).code, "ERR_TYPE_NAME");
  }
});

test("a scope is local or global", () => {
  assert.is(parseScope("local"), "local");
  assert.is(parseScope("global"), "global");
  for (const scope of ["", "Local", "swarm", 0, 1, ...NOT_STRINGS]) {
    assert.is(refusal(() => parseScope(scope)).code, "ERR_BAD_CAPABILITY");
  }
});

test("interface names are Linux's", () => {
  for (const name of ["eth0", "bh-a1", "x", "a.b", "...", "veth@1", "x".repeat(15)])
    assert.is(parseInterfaceName(name), name);
  const wrong = [
    "",
    ".",
    "..",
    "a/b",
    "a b",
    "a\tb",
    "a:1",
    "eth%d",
    "-a",
    "a\0",
    "a\n",
    "\u007f",
    "x".repeat(16),
    "à",
    "ü",
  ];
  for (const name of [...wrong, ...NOT_STRINGS]) {
    assert.is(refusal(() => parseInterfaceName(name)).code, "ERR_INTERFACE_NAME", String(name));
    assert.is(refusal(() => parseInterfacePrefix(name)).code, "ERR_INTERFACE_NAME", String(name));
  }
});

test("a prefix leaves room for a number", () => {
  assert.is(parseInterfacePrefix("eth"), "eth");
  assert.is(parseInterfacePrefix("x".repeat(12)), "x".repeat(12));
  assert.match(refusal(() => parseInterfacePrefix("x".repeat(13))).message, "1 to 12 visible");
});

test("every ASCII character is judged as Linux and iproute2 judge it", () => {
  const refused = new Set(["/", ":", "%", " "]);
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    const allowed = code > 0x20 && code < 0x7f && !refused.has(character);
    const name = `a${character}b`;
    if (allowed) assert.is(parseInterfaceName(name), name);
    else assert.is(refusal(() => parseInterfaceName(name)).code, "ERR_INTERFACE_NAME");
  }
});

test.run();
