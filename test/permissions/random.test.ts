/** `random`: Math.random and bytes, within bounds, from buffers nobody shares. */
import { endow } from "#dist/permissions/random/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, inside, refusalOf, walk } from "./tamper.js";

const test = suite("permission random");
const compartment = compartmentWith({ random: endow({}) });

test("Math.random is uniform enough, in [0, 1)", () => {
  const draws = inside(compartment, "Array.from({ length: 20000 }, () => Math.random())") as number[];
  assert.ok(draws.every((draw) => draw >= 0 && draw < 1));
  assert.is(new Set(draws).size, draws.length);
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  assert.ok(Math.abs(mean - 0.5) < 0.02, String(mean));
  assert.ok(
    draws.some((draw) => (draw * 2 ** 53) % 2 === 1),
    "the lowest of 53 bits is never set",
  );
});

test("the rest of Math is Math's", () => {
  assert.is(inside(compartment, "Math.max(1, 2) + Math.floor(Math.PI)"), 5);
  assert.is(inside(compartment, "Object.prototype.toString.call(Math)"), "[object Math]");
  assert.equal(inside(compartment, "Object.getOwnPropertyNames(Math).length"), Object.getOwnPropertyNames(Math).length);
});

test("bytes(n) gives n fresh bytes in a buffer of their own", () => {
  for (const n of [0, 1, 32, 65_536]) {
    const bytes = inside(compartment, `powers.random.bytes(${n})`) as Uint8Array;
    assert.is(bytes.length, n);
    assert.is(bytes.buffer.byteLength, n);
    assert.is(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  }
  assert.is(inside(compartment, "powers.random.bytes(-0).length"), 0);
  assert.is(inside(compartment, "powers.random.bytes(8).join() === powers.random.bytes(8).join()"), false);
});

test("refuses every other n", () => {
  const wrong = [
    "-1",
    "1.5",
    "NaN",
    "Infinity",
    "2 ** 53",
    "'8'",
    "8n",
    "undefined",
    "null",
    "[8]",
    "Symbol()",
    "() => 8",
  ];
  for (const n of [...wrong, "{ valueOf() { throw 1; } }", "new Proxy({}, { get() { throw 2; } })"]) {
    assert.is(refusalOf(compartment, `powers.random.bytes(${n})`).code, "ERR_PERMISSION_ARGUMENT", n);
  }
  const over = refusalOf(compartment, "powers.random.bytes(65537)");
  assert.is(over.code, "ERR_PERMISSION_LIMIT");
  assert.ok(over.kin && over.message.includes("65536"));
});

test("cannot be tampered with", () => {
  assert.equal(
    walk({ random: endow({}) }, "({ bytes: powers.random.bytes(4), none: powers.random.bytes(0) })").findings,
    [],
  );
});

test("crypto fills arrays of whole numbers, and has nothing else of Node's", () => {
  const compartment = compartmentWith({ random: endow({}) });
  assert.is(inside(compartment, "Object.keys(crypto).join()"), "getRandomValues,randomUUID");
  assert.match(
    inside(compartment, "crypto.randomUUID()") as string,
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.is(
    inside(compartment, "const a = new Uint32Array(64); crypto.getRandomValues(a) === a && a.some((n) => n > 65536)"),
    true,
  );
  // Only the part the view shows.
  assert.is(
    inside(
      compartment,
      "const b = new Uint8Array(64); crypto.getRandomValues(b.subarray(0, 32)); b.slice(32).every((n) => n === 0)",
    ),
    true,
  );
  for (const wrong of ["undefined", "[]", "'x'", "new DataView(new ArrayBuffer(1))", "new ArrayBuffer(1)"])
    assert.is(refusalOf(compartment, `crypto.getRandomValues(${wrong})`).code, "ERR_PERMISSION_ARGUMENT");
  assert.is(refusalOf(compartment, "crypto.getRandomValues(new Uint8Array(65537))").code, "ERR_PERMISSION_LIMIT");
});

test.run();
