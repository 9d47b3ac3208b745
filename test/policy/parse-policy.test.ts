/** A policy has the keys of examples/serve/README.md and no others, as text or as an object; there is no laxer fall-back. */
import { deepStrictEqual as deepEqual } from "node:assert";
import fc from "fast-check";
import { DriverError } from "#dist/driverapi/errors.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { policyEntry } from "#dist/policy/schema.js";
import { assert, suite } from "../harness.js";

const test = suite("policy/parse-policy");

function refusal(input: unknown): DriverError {
  try {
    parsePolicy(input, "p.json");
  } catch (error) {
    if (error instanceof DriverError) {
      assert.is(error.code, "ERR_POLICY_INVALID");
      assert.ok(error.message.startsWith("p.json:"), error.message);
      return error;
    }
    throw error;
  }
  throw new Error("expected a refusal");
}

const SHA = "0123456789abcdef".repeat(4);
const WHOLE = {
  $schema: "x",
  defaults: {
    timeouts: { default: 5000, init: 100, join: 1 },
    limits: { memoryMb: 32, drivers: 1 },
    isolation: "thread",
  },
  plugins: {
    bridge: {
      grant: { scope: "global", log: true, store: { bytes: 1, keys: 1 } },
      options: { bridge: { mtu: 1500, list: [null, { deep: true }] } },
      timeouts: { createNetwork: 10_000 },
      limits: { memoryMb: 4 },
      isolation: "dedicated",
      sha256: SHA,
    },
    constructor: {},
  },
};

test("everything a policy may say is taken, from text and from an object", () => {
  // uvu's own comparison takes the key `constructor` for the class.
  deepEqual(parsePolicy(JSON.stringify(WHOLE)), WHOLE);
  deepEqual(parsePolicy(WHOLE), WHOLE);
  assert.equal(parsePolicy({}), {});
  assert.equal(parsePolicy({ plugins: { a: { grant: undefined } } }), { plugins: { a: {} } });
});

test("an object is copied: changing it later changes nothing", () => {
  const input = { plugins: { a: { grant: { store: { bytes: 1 } } } } };
  const policy = parsePolicy(input);
  input.plugins.a.grant.store.bytes = 1000;
  assert.equal(policy.plugins?.a?.grant?.store, { bytes: 1 });
});

test("an entry is read as an own property only", () => {
  assert.is(policyEntry(parsePolicy({ plugins: {} }), "constructor"), undefined);
  assert.is(policyEntry(parsePolicy({}), "constructor"), undefined);
  assert.equal(policyEntry(parsePolicy(WHOLE), "constructor"), {});
});

const WRONG: readonly (readonly [string, unknown, string])[] = [
  ["no object", "[]", "must be an object"],
  ["nothing", undefined, "undefined is not JSON"],
  ["a function", () => ({}), "function"],
  ["a Map", { plugins: new Map() }, "plugins:"],
  ["a cycle", cycle(), "contains itself"],
  ["NaN", { defaults: { timeouts: { default: Number.NaN } } }, "defaults.timeouts.default:"],
  ["an unknown key", { plugin: {} }, 'plugin: unknown key; did you mean "plugins"?'],
  ["a grant as default", { defaults: { grant: {} } }, "defaults.grant: unknown key"],
  ["an id of another form", { plugins: { Bridge: {} } }, "plugins.Bridge: must be a plugin's id"],
  [
    "an unknown permission",
    { plugins: { a: { grant: { stor: true } } } },
    'plugins.a.grant.stor: unknown key; did you mean "store"?',
  ],
  ["a permission of a later day", { plugins: { a: { grant: { fetch: true } } } }, "plugins.a.grant.fetch: unknown key"],
  [
    "a permission withheld by false",
    { plugins: { a: { grant: { log: false } } } },
    "plugins.a.grant.log: must be true or",
  ],
  ["a scope", { plugins: { a: { grant: { scope: "world" } } } }, "plugins.a.grant.scope: must be"],
  ["a short sha256", { plugins: { a: { sha256: "ab" } } }, "plugins.a.sha256: must be 64 hex digits"],
  ["options of a type with a dot", { plugins: { a: { options: { "a.b": {} } } } }, 'plugins.a.options["a.b"]:'],
  ["options that are no object", { plugins: { a: { options: { a: 1 } } } }, "plugins.a.options.a: must be an object"],
  ["a function in options", { plugins: { a: { options: { a: { f() {} } } } } }, "plugins.a.options.a.f:"],
  ["a timeout over 10 minutes", { defaults: { timeouts: { default: 600_001 } } }, "at most 600000"],
  ["__proto__ in text", '{"plugins": {"__proto__": {}}}', "p.json:1:14:"],
  ["__proto__ as own key", JSON.parse('{"plugins": {"__proto__": {}}}'), "__proto__"],
  ["a key twice", '{"plugins": {"a": {}, "a": {}}}', "duplicate key"],
  ["a syntax error", '{\n"plugins": {\n}', ":3:2:"],
];
for (const [what, input, rule] of WRONG) {
  test(`refused: ${what}`, () => {
    assert.match(refusal(input).message, rule);
  });
}

function cycle(): unknown {
  const object: Record<string, unknown> = {};
  object.plugins = object;
  return object;
}

test("a mistake in text has its line", () => {
  assert.is(refusal('{\n  "plugins": {\n    "a": {\n      "grnt": {}\n    }\n  }\n}').line, 4);
});

test("no input makes it throw anything but ERR_POLICY_INVALID", () => {
  const only = (input: unknown): void => {
    try {
      parsePolicy(input);
    } catch (error) {
      assert.instance(error, DriverError);
      assert.is((error as DriverError).code, "ERR_POLICY_INVALID");
    }
  };
  const key = fc.oneof(
    fc.constantFrom("defaults", "plugins", "grant", "scope", "store", "options", "a", "constructor", "__proto__"),
    fc.string(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.anything({ maxDepth: 1 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  }));
  fc.assert(fc.property(value, only), { numRuns: 1000 });
  fc.assert(fc.property(fc.jsonValue(), (json) => only(JSON.stringify(json))));
});

test.run();
