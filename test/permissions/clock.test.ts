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
  assert.is(inside(fine, "new Date().constructor === Date && new Date(0).constructor === Date"), true);
  assert.is(inside(fine, "(class Day extends Date {}).prototype instanceof Date"), true);
  assert.is(inside(fine, "new Date() instanceof (class Day extends Date {})"), false);
  assert.is(inside(fine, "Object.prototype.toString.call(new Date())"), "[object Date]");
  assert.is(
    inside(
      fine,
      "function Day() {} Day.prototype = Object.create(Date.prototype); Day.prototype.constructor = Day; new Day().constructor === Day",
    ),
    true,
  );
});

test("gives no finer time by another door", () => {
  const coarse = at(60_000);
  assert.is(
    inside(coarse, "new Date(0).constructor.now() % 60000 + new (new Date(0).constructor)().getTime() % 60000"),
    0,
  );
  const above = "Object.getPrototypeOf(Date.prototype).constructor";
  for (const door of [`${above}.now()`, `new (${above})()`])
    assert.is(inside(coarse, `(() => { try { return ${door}; } catch { return "throws"; } })()`), "throws");
  assert.is(inside(coarse, "performance.now() + performance.timeOrigin % 60000"), 0);
  assert.is(inside(coarse, `Date.now.call({ valueOf() { return 1; } }) % 60000`), 0);
  assert.is(inside(coarse, `new Date({ [Symbol.toPrimitive]: () => 5 }).getTime()`), 5);
});

test("performance.now() does not go back, and is floored", () => {
  const coarse = at(5);
  const times = inside(coarse, "[performance.now(), performance.now()]") as number[];
  assert.ok((times[0] ?? 0) >= 0 && (times[1] ?? 0) >= (times[0] ?? 0));
  assert.is((times[0] ?? 0) % 5, 0);
});

test("performance ticks when Date does: the two together are no finer than one", () => {
  const { globals = {} } = endow({ resolutionMs: 7 });
  const { now, timeOrigin } = globals.performance as { now(): number; timeOrigin: number };
  const date = globals.Date as DateConstructor;
  for (let round = 0; round < 200_000; round++) {
    const before = date.now();
    const told = timeOrigin + now();
    assert.ok(before <= told && told <= date.now());
  }
});

test("cannot be tampered with", () => {
  const { findings } = walk({ clock: endow({ resolutionMs: 1 }) }, "({ date: new Date(), old: new Date(0) })");
  assert.equal(findings, []);
});

test.run();
