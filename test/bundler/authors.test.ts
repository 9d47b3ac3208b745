/** What authors write is looked at as syntax: text that looks like something else works, and what is refused has a place. */
import { assert, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { evaluate } from "./compartment.js";
import { bundle, pluginFolder, refused } from "./plugin-folder.js";

const test = suite("bundler: what authors write");
forgetBundles();

test("text with import. in it, in a string, a template, a regex and a key", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": `export const text = "checked on import. They work"; export const template = \`an import.\${1}\`;
      export const regex = /^import.x$/.test("import.x"); export const key = Object.keys({ "import.y": 1 })[0];
      export { name } from "./import.js";`,
    "import.js": 'export const name = "import.js";',
  });
  const exports = evaluate(await bundle(root));
  assert.not.match((await bundle(root)).code, /(?:^|[^.$\w])import\s*\.\s*(?!meta\b)/);
  assert.is(exports.text, "checked on import. They work");
  assert.is(exports.template, "an import.1");
  assert.is(exports.regex, true);
  assert.is(exports.key, "import.y");
  assert.is(exports.name, "import.js");
});

test("import() of a module that is not there, where the author catches that, is a rejection", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": `export const then = import("node:worker_threads").then(() => "there", (error) => error.code);
      export const caught = import("./missing.js").catch((error) => error.message.includes("./missing.js"));
      export const tried = (async () => { try { return await import("not-installed"); } catch { return "absent"; } })();`,
  });
  const exports = evaluate(await bundle(root));
  assert.is(await exports.then, "ERR_MODULE_NOT_FOUND");
  assert.is(await exports.caught, true);
  assert.is(await exports.tried, "absent");
});

test("in a package, a direct eval sees global names only, and import() of a computed path is a rejection", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'export { seen, loaded } from "old";',
    "node_modules/old/package.json": '{ "main": "index.js" }',
    "node_modules/old/index.js": `const local = 1; exports.seen = [eval("1 + 1"), typeof eval("typeof local")];
      const load = (x) => import(x); exports.loaded = load("node:fs").catch((error) => error.code);`,
  });
  const bundled = await bundle(root);
  assert.not.match(bundled.code, /(?:^|[^.])\beval\s*\(|\bimport\s*\(/);
  const exports = evaluate(bundled);
  assert.equal(exports.seen, [2, "string"]);
  assert.is(await exports.loaded, "ERR_MODULE_NOT_FOUND");
});

test("import() of a computed path is refused with its line", async (t) => {
  const root = await pluginFolder(t, { "index.js": "export const one = 1;\nexport const load = (x) => import(x);" });
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_SYNTAX");
  assert.is(`${error.file}:${error.line}`, "index.js:2");
});

test("a hashbang line", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": '#!/usr/bin/env node\nexport { two } from "./two.js";\nexport const lost = () => missing;',
    "two.js": "#!/usr/bin/env node\nexport const two = 2;",
  });
  assert.is(evaluate(await bundle(root)).two, 2);
});

test("a name that nothing declares is a ReferenceError; typeof of it, and a guarded use, are not", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": `export const call = () => fetch("http://a/"); export const shorthand = () => ({ window });
      export const guarded = typeof window === "undefined" ? "no window" : window.name;
      export const { a: taken, ...others } = { a: 1, b: 2 }; export const own = ({ c = 3 }) => c;
      export const nested = [1].map((document) => document); label: for (const x of [1]) { if (x) continue label; }
      export const method = () => ({ fetch: 1, get window() { return 2; } }).fetch;`,
  });
  const exports = evaluate(await bundle(root)) as Record<string, (given?: object) => unknown>;
  for (const name of ["call", "shorthand"]) {
    try {
      exports[name]?.();
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /^ReferenceError: (fetch|window) is not defined in the sandbox/);
    }
  }
  assert.is(exports.guarded, "no window");
  assert.is(exports.taken, 1);
  assert.equal(JSON.stringify(exports.others), '{"b":2}');
  assert.is(exports.own?.({}), 3);
  assert.is(exports.method?.(), 1);
});

test("a tsconfig.json that extends a file outside, and is not needed, is not a reason to refuse", async (t) => {
  const root = await pluginFolder(t, {
    "index.ts": "export const a: number = 1;",
    "tsconfig.json": '{ "extends": "../../tsconfig.json" }',
  });
  assert.is(evaluate(await bundle(root, { entry: `${root}/index.ts` })).a, 1);
});

const DECORATED = `const seen: unknown[] = [];
  function note(target: object, key: string) { seen.push(typeof target, key); }
  function arg(_target: object, key: string | undefined, index: number) { seen.push(key, index); }
  class A { @note method(@arg one: number) { return one; } }
  export const use = () => [new A().method(1), seen];`;

test("old decorators work where tsconfig.json, or what it extends in the folder, asks for them", async (t) => {
  const root = await pluginFolder(t, {
    "index.ts": DECORATED,
    "tsconfig.json": '{ "extends": "./base", /* c */ }',
    "base.json": '{ "compilerOptions": { "experimentalDecorators": true } }',
  });
  const bundled = await bundle(root, { entry: `${root}/index.ts` });
  assert.equal(JSON.stringify((evaluate(bundled).use as () => unknown)()), '[1,["method",0,"object","method"]]');
  assert.ok(bundled.files.some(({ path }) => path === "base.json"));
});

test("metadata of types, and paths of tsconfig.json, are named as not supported, with file and line", async (t) => {
  const metadata = await pluginFolder(t, {
    "index.ts": DECORATED,
    "tsconfig.json": '{ "compilerOptions": {\n"experimentalDecorators": true,\n"emitDecoratorMetadata": true } }',
  });
  const first = await refused(t, metadata, { entry: `${metadata}/index.ts` });
  assert.is(`${first.code} ${first.file}:${first.line}`, "ERR_PLUGIN_SYNTAX tsconfig.json:3");
  const paths = await pluginFolder(t, {
    "index.ts": '\nimport { a } from "@app/a"; export const b = a;',
    "tsconfig.json": '{ "compilerOptions": {\n"paths": { "@app/*": ["./src/*"] } } }',
  });
  const second = await refused(t, paths, { entry: `${paths}/index.ts` });
  assert.is(`${second.code} ${second.file}:${second.line}`, "ERR_PLUGIN_IMPORT index.ts:2");
  assert.match(second.message, /"paths" of tsconfig.json:2/);
});

test.run();
