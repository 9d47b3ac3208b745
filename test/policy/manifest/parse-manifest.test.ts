/** A manifest has the fields of plugins/README.md and no others; an error names file, line, path, rule and the nearest key. */
import fc from "fast-check";
import { DriverError } from "#dist/driverapi/errors.js";
import { parseManifest } from "#dist/policy/manifest/parse-manifest.js";
import { assert, suite } from "../../harness.js";

const test = suite("policy/manifest/parse-manifest");

function refusal(value: unknown, id?: string): DriverError {
  const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
  try {
    parseManifest(text, "plugins/x/plugin.json", id);
  } catch (error) {
    if (error instanceof DriverError) {
      assert.is(error.code, "ERR_MANIFEST_INVALID");
      assert.ok(error.message.startsWith("plugins/x/plugin.json:"), error.message);
      return error;
    }
    throw error;
  }
  throw new Error(`expected a refusal of ${text}`);
}

test("everything a manifest may say is taken as it is", () => {
  const whole = {
    $schema: "./plugin.schema.json",
    name: "x",
    version: "1.2.3",
    description: "A driver.",
    apiVersion: 1,
    main: "src/main.ts",
    networkTypes: ["x", "Other_type-2"],
    scope: "global",
    permissions: { log: true, store: { bytes: 1024 }, timers: { minimumMs: 5, count: 2 }, clock: {}, random: true },
    timeouts: { default: 1000, init: 10, createNetwork: 600_000, type: 1 },
    limits: { memoryMb: 16, drivers: 2 },
    isolation: "dedicated",
    recovery: "self",
  };
  assert.equal(parseManifest(JSON.stringify(whole), "f", "x"), whole);
  assert.equal(parseManifest("{}", "f", "x"), {});
});

test("an unknown key is refused with its path, its line and the nearest known key", () => {
  const error = refusal({ permissions: { stroe: true } }, "x");
  assert.match(error.message, 'plugin.json:3:5: permissions.stroe: unknown key; did you mean "store"?');
  assert.is(error.line, 3);
  assert.is(error.file, "plugins/x/plugin.json");
  assert.is(error.plugin, "x");
  assert.match(refusal({ permission: {} }).message, 'permission: unknown key; did you mean "permissions"?');
  assert.match(refusal({ limits: { memoryMB: 1 } }).message, 'limits.memoryMB: unknown key; did you mean "memoryMb"?');
  assert.match(refusal({ timeouts: { craeteNetwork: 1 } }).message, 'did you mean "createNetwork"?');
  assert.match(
    refusal({ permissions: { store: { byte: 1 } } }).message,
    'permissions.store.byte: unknown key; did you mean "bytes"?',
  );
  assert.match(
    refusal({ permissions: { gravity: true } }).message,
    /gravity: unknown key; known keys: log, timers, clock, random, store/,
  );
  assert.match(refusal({ constructor: 1 }).message, "constructor: unknown key");
  assert.match(refusal({ permissions: { toString: true } }).message, "permissions.toString: unknown key");
  assert.match(refusal({ permissions: { random: { bytes: 1 } } }).message, "none are known here");
  assert.match(refusal({ "a\nb": 1 }).message, /\["a\\nb"\]: unknown key/);
});

test("several mistakes are all counted, the first few spelled out", () => {
  const { message } = refusal({ scope: 1, main: 2, version: 3, aaaa: 4, apiVersion: 5 });
  for (const path of ["version: ", "apiVersion: ", "main: "]) assert.match(message, path);
  assert.match(message, "and 2 more");
});

const WRONG: readonly (readonly [string, unknown, string])[] = [
  ["a list", [], "the document must be an object"],
  ["null", "null", "must be an object, not null"],
  ["name of another form", { name: "Foo" }, "name: must match"],
  ["apiVersion 2", { apiVersion: 2 }, "apiVersion: must be 1"],
  ["scope", { scope: "globall" }, 'scope: must be "local" or "global", not "globall"'],
  ["isolation", { isolation: "none" }, "isolation: must be"],
  ["recovery", { recovery: true }, "recovery: must be"],
  ["docker", { docker: "no" }, "docker: must be a boolean"],
  ["main absolute", { main: "/etc/x.js" }, "relative"],
  ["main with a drive", { main: "C:/x.js" }, "relative"],
  ["main with backslashes", { main: "a\\..\\x.js" }, 'written with "/"'],
  ["main that leaves", { main: "../x.js" }, "within the plugin's folder"],
  ["main that leaves inside", { main: "a/../../x.js" }, "within the plugin's folder"],
  ["main of another kind", { main: "x.cjs" }, ".js, .mjs or .ts"],
  ["main that declares", { main: "x.d.ts" }, ".js, .mjs or .ts"],
  ["main with NUL", { main: "a\0.js" }, "control characters"],
  ["no network types", { networkTypes: [] }, "networkTypes: must have at least 1 entry, and has none"],
  ["a type with a dot", { networkTypes: ["a", "a.b"] }, "networkTypes[1]:"],
  ["a type twice", { networkTypes: ["a", "a"] }, "once"],
  ["a type that is not a string", { networkTypes: [1] }, "networkTypes[0]: must be a string"],
  ["65 types", { networkTypes: Array.from({ length: 65 }, (_, i) => `t${i}`) }, "at most 64 entries, and has 65"],
  [
    "permissions false",
    { permissions: { log: false } },
    "permissions.log: must be true or an object of limits, not false",
  ],
  ["permissions as a list", { permissions: ["log"] }, "permissions: must be an object"],
  ["limit 0", { permissions: { store: { bytes: 0 } } }, "permissions.store.bytes: must be at least 1, not 0"],
  ["limit broken", { permissions: { store: { bytes: 1.5 } } }, "whole number"],
  ["limit as text", { permissions: { store: { bytes: "1" } } }, "permissions.store.bytes: must be"],
  ["limit huge", { permissions: { store: { bytes: 2 ** 40 } } }, "at most"],
  ["timeout 0", { timeouts: { default: 0 } }, "timeouts.default: must be at least 1"],
  ["timeout over 10 minutes", { timeouts: { init: 600_001 } }, "timeouts.init: must be at most 600000"],
  ["timeout null", { timeouts: { join: null } }, "timeouts.join: must be"],
  ["memory below", { limits: { memoryMb: 3 } }, "at least 4"],
  ["memory above", { limits: { memoryMb: 257 } }, "at most 256"],
  ["drivers 0", { limits: { drivers: 0 } }, "at least 1"],
  ["drivers 65", { limits: { drivers: 65 } }, "at most 64"],
  ["a long version", { version: "1".repeat(65) }, "version: must have at most 64 characters, and has 65"],
  ["a description with an escape", { description: "a\u001b[2Jb" }, "control characters"],
  ["a description that turns the line", { description: "a\u202eb" }, "control characters"],
  ["__proto__", '{"__proto__": {"scope": "global"}}', "__proto__"],
  ["a key twice", '{"scope": "local", "scope": "global"}', "duplicate key"],
  ["a syntax error", '{\n  "name": "x"\n  "main": 1\n}', ":3:3:"],
  ["nothing", "", "unexpected end of text"],
  ["64 KiB and more", JSON.stringify({ $schema: "x".repeat(65_536) }), "at most 65536"],
];
for (const [what, value, rule] of WRONG) {
  test(`refused: ${what}`, () => {
    assert.match(refusal(value).message, rule);
  });
}

test("the name, when given, is the id", () => {
  assert.match(refusal({ name: "y" }, "x").message, 'name: must be "x"');
  assert.equal(parseManifest('{"name": "x"}', "f", "x"), { name: "x" });
});

test("no text makes it throw anything but ERR_MANIFEST_INVALID", () => {
  const only = (text: string): void => {
    try {
      parseManifest(text, "f", "x");
    } catch (error) {
      assert.instance(error, DriverError);
      assert.is((error as DriverError).code, "ERR_MANIFEST_INVALID");
      assert.ok((error as DriverError).message.length < 4000);
    }
  };
  const key = fc.oneof(
    fc.constantFrom(
      "name",
      "permissions",
      "log",
      "store",
      "bytes",
      "timeouts",
      "limits",
      "networkTypes",
      "main",
      "__proto__",
    ),
    fc.string(),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, (json) => only(JSON.stringify(json))),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.string({ unit: "binary" }), only));
});

test.run();
