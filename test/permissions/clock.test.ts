/** `clock`: a coarse Date, and nothing finer to be had from it. */

import { endow } from "#dist/permissions/clock/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, inside, walk } from "./tamper.js";

const test = suite("permission clock");
const at = (resolutionMs: number) => compartmentWith({ clock: endow({ resolutionMs }) });

test("tells the time, floored to its resolution", () => {
  const coarse = at(1000);
  const before = Date.now();
  const now = inside(coarse, "Date.now()") as number;
  assert.is(now % 1000, 0);
  assert.ok(now <= before && now > before - 2000);
  assert.is(inside(coarse, "new Date().getTime() % 1000"), 0);
  assert.is(inside(coarse, "new Date(Date()).getTime() % 1000"), 0);
  assert.is(inside(coarse, "Reflect.construct(Date, [], class extends Date {}).getTime() % 1000"), 0);
});

test("is the Date that libraries know", () => {
  const fine = at(1);
  assert.is(inside(fine, "new Date(2020, 1, 29).getDate()"), 29);
  assert.is(inside(fine, 'new Date("2020-02-29T00:00:00Z").toISOString()'), "2020-02-29T00:00:00.000Z");
  assert.is(inside(fine, "Date.UTC(2020, 0)"), Date.UTC(2020, 0));
  assert.is(inside(fine, 'Date.parse("1970-01-01T00:00:01Z")'), 1000);
  assert.is(inside(fine, "new Date() instanceof Date && new (class Day extends Date {})() instanceof Date"), true);
  assert.is(inside(fine, "typeof Date() + Date.name + Date.length"), "stringDate7");
  assert.is(inside(fine, "Number.isNaN(new Date(undefined).getTime())"), true);
  assert.is(inside(fine, "typeof performance"), "undefined");
});

test("gives no finer time by another door", () => {
  const coarse = at(60_000);
  assert.is(
    inside(coarse, `(() => { try { return new Date(0).constructor.now(); } catch { return "throws"; } })()`),
    "throws",
  );
  assert.is(
    inside(coarse, `(() => { try { return new (new Date(0).constructor)(); } catch { return "throws"; } })()`),
    "throws",
  );
  assert.is(inside(coarse, `Date.now.call({ valueOf() { return 1; } }) % 60000`), 0);
  assert.is(inside(coarse, `new Date({ [Symbol.toPrimitive]: () => 5 }).getTime()`), 5);
});

test("cannot be tampered with", () => {
  const { findings } = walk({ clock: endow({ resolutionMs: 1 }) }, "({ date: new Date(), old: new Date(0) })");
  assert.equal(findings, []);
});

test.run();
