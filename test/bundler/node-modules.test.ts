/** A browser's build is taken where a package has one, and Node's pure modules are there: bundled where they are imported. */
import { assert, rejection, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { evaluate } from "./compartment.js";
import { bundle, pluginFolder, write } from "./plugin-folder.js";

const test = suite("bundler: node's modules");
forgetBundles();
const globals = { TextEncoder, TextDecoder, URL, URLSearchParams, Date, AbortController, AbortSignal };

const uses: Record<string, [code: string, expected: unknown]> = {
  assert: [
    'import assert from "node:assert"; export const use = () => { try { assert.deepStrictEqual({ a: 1 }, { a: 2 }); } catch (e) { return e.code; } };',
    "ERR_ASSERTION",
  ],
  buffer: ['import { Buffer } from "buffer"; export const use = () => Buffer.from("hé").toString("base64");', "aMOp"],
  crypto: [
    'import { createHash, createHmac, timingSafeEqual } from "node:crypto"; export const use = () => [createHash("sha256").update("abc").digest("hex").slice(0, 8), createHash("md5").update("abc").digest("base64"), createHmac("sha1", "k").update("abc").digest("hex").slice(0, 8), timingSafeEqual(new Uint8Array([1]), new Uint8Array([1]))];',
    ["ba7816bf", "kAFQmDzST7DWlj99KOF/cg==", "f9bef091", true],
  ],
  events: [
    'const EventEmitter = require("events"); exports.use = () => { class A extends EventEmitter {} const a = new A(); let n = 0; a.once("x", (v) => { n += v; }); a.emit("x", 2); a.emit("x", 2); return n; };',
    2,
  ],
  path: [
    'import { join, posix } from "node:path"; export const use = () => [join("a", "../b"), posix.basename("/x/y.z", ".z")];',
    ["b", "y"],
  ],
  querystring: ['import { parse } from "querystring"; export const use = () => parse("a=1&a=2").a;', ["1", "2"]],
  stream: [
    'import { Readable, Transform } from "node:stream"; export const use = async () => { const seen = []; const double = new Transform({ objectMode: true, transform: (n, _, done) => done(null, n * 2) }); for await (const one of Readable.from([1, 2]).pipe(double)) seen.push(one); return seen; };',
    [2, 4],
  ],
  string_decoder: [
    'import { StringDecoder } from "string_decoder"; export const use = () => { const d = new StringDecoder("utf8"); return d.write(new Uint8Array([0xe2, 0x82])) + d.write(new Uint8Array([0xac])); };',
    "€",
  ],
  url: [
    'import { parse, URL, fileURLToPath } from "node:url"; export const use = () => [parse("http://a:1/b?c=1", true).query.c, new URL("http://a/b").pathname, fileURLToPath("file:///a%20b")];',
    ["1", "/b", "/a b"],
  ],
  util: [
    'import { format, inspect, promisify, inherits } from "util"; export const use = async () => [format("%s %d %j", "a", 1, {}), inspect({ a: [1] }), await promisify((n, done) => done(null, n + 1))(1)];',
    ["a 1 {}", "{ a: [ 1 ] }", 2],
  ],
};

for (const [name, [code, expected]] of Object.entries(uses)) {
  test(`${name} is used, and noted`, async (t) => {
    const bundled = await bundle(await pluginFolder(t, { "index.js": code }));
    assert.ok(bundled.nodeModules?.includes(name));
    assert.equal(
      bundled.files.map(({ path }) => path),
      ["index.js"],
    );
    const use = evaluate(bundled, globals).use as () => unknown;
    assert.equal(JSON.parse(JSON.stringify(await use())), expected);
  });
}

test("a plugin that imports none is noted with none", async (t) => {
  assert.is((await bundle(await pluginFolder(t, { "index.js": "export const a = 1;" }))).nodeModules, undefined);
});

test("random bytes are the grant's: without it they are refused, with it they are its crypto's", async (t) => {
  const code =
    'import { randomBytes, randomUUID } from "node:crypto"; export const use = () => randomBytes(3).toString("hex"); export const id = () => randomUUID();';
  const bundled = await bundle(await pluginFolder(t, { "index.js": code }));
  assert.throws(evaluate(bundled, globals).use as () => unknown, /"random" under "permissions"/);
  const crypto = { getRandomValues: (view: Uint8Array) => view.fill(7), randomUUID: () => "id" };
  const granted = evaluate(bundled, { ...globals, crypto });
  assert.is((granted.use as () => unknown)(), "070707");
  assert.is((granted.id as () => unknown)(), "id");
});

for (const name of ["fs", "node:net", "child_process", "node:worker_threads", "vm", "module"]) {
  test(`${name} has power, and is refused with its line, and with what there is`, async (t) => {
    const root = await pluginFolder(t, { "index.js": `\nimport x from "${name}"; export default x;` });
    const error = await rejection(bundle(root));
    assert.is(`${error.code} ${error.file}:${error.line}`, "ERR_PLUGIN_IMPORT index.js:2");
    assert.match(error.message, /string_decoder/);
  });
}

test("process has no environment and no way out", async (t) => {
  const code =
    'import process from "process"; export const use = () => [Object.keys(process.env), process.argv, process.cwd(), typeof process.exit, typeof process.stdout]; export const exit = () => process.exit(1);';
  const exports = evaluate(await bundle(await pluginFolder(t, { "index.js": code }))) as Record<string, () => unknown>;
  assert.equal(JSON.parse(JSON.stringify(exports.use?.())), [["NODE_ENV"], [], "/", "function", "undefined"]);
  assert.throws(() => exports.exit?.(), /does not exist in the sandbox/);
});

test("the browser field, its map, and the browser condition are followed; an installed package comes first", async (t) => {
  const root = await pluginFolder(t, {
    "index.js":
      'import a from "a"; import b from "b"; import c from "c"; import util from "util"; export const use = () => [a, b, c, util];',
  });
  await write(`${root}/node_modules`, {
    "a/package.json": '{ "main": "node.js", "browser": "browser.js" }',
    "a/node.js": 'module.exports = require("fs");',
    "a/browser.js": 'module.exports = "a in a browser";',
    "b/package.json":
      '{ "main": "index.js", "browser": { "./own.js": "./other.js", "fs": false, "util": "./util.js" } }',
    "b/index.js": 'module.exports = [require("./own.js"), Object.keys(require("fs")).length, require("util")];',
    "b/own.js": 'module.exports = "own";',
    "b/other.js": 'module.exports = "other";',
    "b/util.js": 'module.exports = "its util";',
    "c/package.json": '{ "exports": { "browser": "./browser.js", "default": "./node.js" } }',
    "c/browser.js": 'module.exports = "c in a browser";',
    "c/node.js": 'module.exports = require("net");',
    "util/package.json": '{ "main": "index.js" }',
    "util/index.js": 'module.exports = "installed";',
  });
  const bundled = await bundle(root);
  const use = evaluate(bundled, globals).use as () => unknown;
  assert.equal(JSON.parse(JSON.stringify(use())), [
    "a in a browser",
    ["other", 0, "its util"],
    "c in a browser",
    "installed",
  ]);
  assert.is(bundled.nodeModules, undefined);
});

test("a package reads Buffer and process as globals; one that looks first finds none, and so does the author", async (t) => {
  const root = await pluginFolder(t, {
    "index.js":
      'export { text, env } from "old"; export { kind } from "careful"; export { made } from "modern"; export const own = typeof Buffer + typeof process;',
    "node_modules/old/index.js":
      '#!/usr/bin/env node\n"use strict";\nexports.text = Buffer.from("YQ==", "base64").toString(); exports.env = process.env.HOME;',
    "node_modules/old/package.json": '{ "browser": { "node:buffer": false, "buffer": false } }',
    "node_modules/modern/index.js":
      'import { Buffer } from "node:buffer"; export const made = Buffer.from("b").toString();',
    "node_modules/careful/index.js": 'export const kind = typeof Buffer === "undefined" ? "none" : Buffer.name;',
  });
  const bundled = await bundle(root);
  assert.equal(bundled.nodeModules, ["buffer", "process"]);
  const { text, env, kind, made, own } = evaluate(bundled, globals);
  assert.equal([text, env, kind, made], ["a", undefined, "none", "b"]);
  assert.is(own, "undefinedundefined");
});

test.run();
