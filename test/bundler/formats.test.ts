/** What a plugin may be written in. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { assert, rejection, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { bundle, pluginFolder, refused, run } from "./plugin-folder.js";

const test = suite("bundler: formats");
forgetBundles();

for (const [name, text] of Object.entries({
  "index.js": "export const answer = 42;",
  "index.mjs": "export const answer = 42;",
  "index.cjs": "exports.answer = 42;",
  "index.ts": "interface A { b: number }\nconst a: A = { b: 42 };\nexport const answer: number = a.b satisfies number;",
  "index.mts": "enum A { B = 42 }\nexport const answer: number = A.B;",
})) {
  test(`a plugin may be ${name}`, async (t) => {
    const root = await pluginFolder(t, { [name]: text });
    const bundled = await bundle(root, { entry: join(root, name) });
    assert.is((run(bundled) as { answer: number }).answer, 42);
    assert.equal(bundled.files, [{ path: name, sha256: createHash("sha256").update(text).digest("hex") }]);
  });
}

test("several files, JSON and both module systems make one script, its files sorted", async (t) => {
  const root = await pluginFolder(t, {
    "index.js":
      'import { b } from "./lib/b.js"; import data from "./data.json"; import c from "./c.cjs";\nexport const sum = b + data.n + c.d;',
    "lib/b.ts": "export const b: number = 1;",
    "data.json": '{ "n": 10 }',
    "c.cjs": "module.exports = { d: 100 };",
  });
  const bundled = await bundle(root);
  assert.is((run(bundled) as { sum: number }).sum, 111);
  assert.equal(
    bundled.files.map((file) => file.path),
    ["c.cjs", "data.json", "index.js", "lib/b.ts"],
  );
});

test("the script is one of ASCII, with a map to the author's files and without their text", async (t) => {
  const root = await pluginFolder(t, { "index.js": 'export const greeting = "grüß 你";\n/*! legal */' });
  const bundled = await bundle(root);
  assert.match(bundled.code, /^[\0-\x7f]*$/);
  assert.not.match(bundled.code, /legal/);
  assert.is((run(bundled) as { greeting: string }).greeting, "grüß 你");
  const map = JSON.parse(bundled.sourceMap);
  assert.equal(map.sources, ["index.js"]);
  assert.is(map.sourcesContent, undefined);
});

test("bulkhead/plugin is the runtime's own, and no file of the bundle", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'import * as api from "bulkhead/plugin"; export const all = { ...api };',
    "node_modules/bulkhead/package.json": '{ "exports": { "./plugin": "./evil.js" } }',
    "node_modules/bulkhead/evil.js": 'export const LocalScope = "evil";',
  });
  const bundled = await bundle(root);
  const { all } = run(bundled) as { all: Record<string, unknown> };
  assert.is(all.LocalScope, "local");
  assert.is(all.GlobalScope, "global");
  assert.is(all.NEXTHOP, 0);
  assert.is(all.CONNECTED, 1);
  assert.equal(
    bundled.files.map((file) => file.path),
    ["index.js"],
  );
});

test("bulkhead/plugin/addressing is bundled from the runtime, and changes no hash", async (t) => {
  const root = await pluginFolder(t, {
    "index.js":
      'import { Pool, parseSubnet } from "bulkhead/plugin/addressing"; export const first = new Pool(parseSubnet("10.0.0.0/24")).take();',
  });
  const bundled = await bundle(root);
  assert.is((run(bundled) as { first: string }).first, "10.0.0.2/24");
  assert.equal(
    bundled.files.map((file) => file.path),
    ["index.js"],
  );
  assert.is(bundled.nodeModules, undefined);
  assert.ok(bundled.code.length < 12_000, `${bundled.code.length} characters`);
});

for (const path of ["bulkhead", "bulkhead/addressing", "bulkhead/package.json", "bulkhead/dist/host/host.js"]) {
  test(`"${path}" is refused, and the right import named`, async (t) => {
    const root = await pluginFolder(t, { "index.js": `\nimport "${path}";` });
    const error = await refused(t, root);
    assert.is(error.code, "ERR_PLUGIN_IMPORT");
    assert.is(error.file, "index.js");
    assert.is(error.line, 2);
    assert.match(error.message, /import "bulkhead\/plugin"/);
  });
}

test("a file of an unknown kind is refused with the kinds there are", async (t) => {
  const root = await pluginFolder(t, { "index.js": 'import "./page.html";', "page.html": "<p>" });
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.is(error.line, 1);
  assert.match(error.message, /page\.html.*\.mts/);
});

test("top-level await is refused with its line", async (t) => {
  const root = await pluginFolder(t, { "index.js": "export const a = 1;\n\nawait a;" });
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_SYNTAX");
  assert.is(error.line, 3);
  assert.match(error.message, /index\.js:3:1: top-level await/);
});

test("code that only runs in sloppy mode is refused with its line", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'import "./old.cjs";',
    "old.cjs": "var a = {};\nvar text = `\n`;\nwith (a) { text = 1; }",
  });
  const error = await rejection(bundle(root));
  assert.is(error.code, "ERR_PLUGIN_SYNTAX");
  assert.is(error.file, "old.cjs");
  assert.is(error.line, 4);
  assert.match(error.message, /strict mode/);
});

test.run();
