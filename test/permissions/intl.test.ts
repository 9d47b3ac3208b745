/** `Intl` in its bounded form: UTC, en-US and the plugin's own time by default, whatever the machine's are. */
import { endow as clock } from "#dist/permissions/clock/worker.js";
import { endow } from "#dist/permissions/intl/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, inside, refusalOf, walk } from "./tamper.js";

process.env.TZ = "Asia/Tokyo";
const test = suite("permission intl");
const { globals } = clock({ resolutionMs: 60_000 });
const compartment = compartmentWith({ clock: { globals: globals ?? {} }, intl: endow(globals?.Date) });
const is = (source: string, expected: unknown): void => {
  assert.equal(JSON.parse(JSON.stringify(inside(compartment, source))), expected);
};

test("zone and locale are UTC and en-US unless they are named", () => {
  is("(({ timeZone, locale }) => [timeZone, locale])(new Intl.DateTimeFormat().resolvedOptions())", ["UTC", "en-US"]);
  is(
    'new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" }).format(new Date(1719835200000))',
    "14:00",
  );
  is(
    'new Intl.DateTimeFormat("de", { dateStyle: "long" }).formatToParts(0).find((p) => p.type === "month").value',
    "Januar",
  );
});

test("numbers, plurals, lists, relative times and order", () => {
  is('[1234.5].map(new Intl.NumberFormat("de").format)', ["1.234,5"]);
  is('new Intl.PluralRules("en", { type: "ordinal" }).select(2)', "two");
  is('new Intl.ListFormat("en").format(["a", "b"])', "a and b");
  is('new Intl.RelativeTimeFormat("en").format(-2, "day")', "2 days ago");
  is('[...new Intl.Segmenter("en", { granularity: "word" }).segment("a b")].map(({ segment }) => segment)', [
    "a",
    " ",
    "b",
  ]);
  is('["b", "a"].sort(new Intl.Collator().compare)', ["a", "b"]);
  is("(class Mine extends Intl.NumberFormat {}, new (class Mine extends Intl.NumberFormat {})().format(1))", "1");
});

test("a date that is not given is the coarse time; without the clock there is none", () => {
  is('Number(new Intl.DateTimeFormat("en", { second: "numeric" }).format())', 0);
  const bare = compartmentWith({ intl: endow(undefined) });
  assert.is(refusalOf(bare, "new Intl.DateTimeFormat().format()").code, "ERR_PERMISSION_ARGUMENT");
});

test("what is wrong or too long is refused", () => {
  assert.is(refusalOf(compartment, 'new Intl.DateTimeFormat("en", { timeZone: "No/Where" })').name, "RangeError");
  assert.is(refusalOf(compartment, 'new Intl.Collator().compare("x".repeat(1e6), "")').code, "ERR_PERMISSION_LIMIT");
  assert.is(refusalOf(compartment, "Intl.PluralRules.prototype.select.call({}, 1)").code, "ERR_PERMISSION_ARGUMENT");
});

test("options, locales and lists are read once, by name, and no further than the limit", () => {
  is(
    `(() => { const seen = []; new Intl.NumberFormat("en", new Proxy({}, { get(_, key) { seen.push(key); }, ownKeys() { throw new Error("listed"); } })); return [seen.length === new Set(seen).size, seen.includes("style")]; })()`,
    [true, true],
  );
  const forever = "{ *[Symbol.iterator]() { for (;;) yield 'a'; } }";
  for (const long of [
    `new Intl.ListFormat("en").format(${forever})`,
    `new Intl.ListFormat("en").format([${'"x".repeat(40000),'.repeat(2)}])`,
    "new Intl.Collator(new Array(17).fill('en'))",
    "Intl.getCanonicalLocales('en-' + 'x'.repeat(64))",
    "new Intl.NumberFormat().format(2n ** 100000n)",
  ])
    assert.is(refusalOf(compartment, long).code, "ERR_PERMISSION_LIMIT", long);
  is('[Intl.Collator.supportedLocalesOf("xx"), Intl.getCanonicalLocales()]', [[], []]);
});

test("cannot be tampered with", () => {
  const samples =
    "({ date: new Intl.DateTimeFormat(), number: new Intl.NumberFormat(), parts: new Intl.NumberFormat().formatToParts(1), segments: new Intl.Segmenter().segment('ab') })";
  assert.equal(walk({ intl: endow(globals?.Date) }, samples).findings, []);
});

test.run();
