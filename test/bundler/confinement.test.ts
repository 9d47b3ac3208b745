/** Nothing from outside the plugin's folder gets into a bundle, by whatever way. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { realpath, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Confinement, openConfined, readConfined } from "#dist/bundler/confined-file.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { bundle, pluginFolder, refused, run, write } from "./plugin-folder.js";

const test = suite("bundler: confinement");
forgetBundles();
const secret = "hush-7f3a";

/** `FRESH/plugin` beside `FRESH/outside` and `FRESH/plugin-too`, both of which hold the secret as code and as JSON. */
async function besideSecrets(t: TestContext, files: Record<string, string>): Promise<string> {
  const root = await pluginFolder(t, files);
  for (const folder of ["outside", "plugin-too"]) {
    await write(join(root, "..", folder), {
      "secret.js": `export default "${secret}";`,
      "index.js": `export default "${secret}";`,
      "secret.json": `{ "s": "${secret}" }`,
      "package.json": '{ "main": "secret.js" }',
    });
  }
  return root;
}

async function refusedAsOutside(t: TestContext, root: string, more: Parameters<typeof refused>[2] = {}): Promise<void> {
  const error = await refused(t, root, more);
  assert.is(error.code, "ERR_PLUGIN_IMPORT", error.message);
  assert.not.match(error.message, new RegExp(secret));
  assert.ok(error.file, "it names a file");
}

for (const path of [
  "../outside/secret.js",
  "../outside/secret.json",
  "../outside",
  "../plugin-too/secret.js",
  "./../../../../../../../../etc/hostname.js",
]) {
  test(`import "${path}"`, async (t) => {
    const root = await besideSecrets(t, { "index.js": `\nimport s from "${path}"; export { s };` });
    await refusedAsOutside(t, root);
  });
}

test("an import by absolute path, with the author's line and the way out", async (t) => {
  const root = await besideSecrets(t, {});
  await write(root, {
    "index.js": `\n\nimport s from ${JSON.stringify(join(root, "../outside/secret.js"))}; export { s };`,
  });
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_IMPORT");
  assert.is(error.line, 3);
  assert.match(error.message, /index\.js:3:15: .*outside the plugin's folder.*copy it there/);
});

test("require() and import() of a file outside", async (t) => {
  for (const code of [
    'export const s = require("../outside/secret.js");',
    'export const s = () => import("../outside/secret.js");',
  ]) {
    await refusedAsOutside(t, await besideSecrets(t, { "index.js": code }));
  }
});

test("a runtime's own file, by its path", async (t) => {
  const own = join(await realpath("."), "dist/driverapi/errors.js");
  await refusedAsOutside(
    t,
    await besideSecrets(t, { "index.js": `import * as e from ${JSON.stringify(own)}; export { e };` }),
  );
});

for (const name of ["secret.js", "secret.json"]) {
  test(`a symlinked ${name}`, async (t) => {
    const root = await besideSecrets(t, {
      "index.js": `import s from "./mine/${name}"; export { s };`,
      "mine/own.js": "",
    });
    await symlink(`../../outside/${name}`, join(root, "mine", name));
    await refusedAsOutside(t, root);
  });
}

test("a symlinked folder, a symlinked node_modules, a symlinked package", async (t) => {
  const folder = await besideSecrets(t, { "index.js": 'import s from "./lib/secret.js"; export { s };' });
  await symlink("../outside", join(folder, "lib"));
  await refusedAsOutside(t, folder);
  const modules = await besideSecrets(t, { "index.js": 'import s from "outside"; export { s };' });
  await symlink("..", join(modules, "node_modules"));
  await refusedAsOutside(t, modules);
  const one = await besideSecrets(t, {
    "index.js": 'import s from "outside"; export { s };',
    "node_modules/a/index.js": "",
  });
  await symlink("../../outside", join(one, "node_modules/outside"));
  await refusedAsOutside(t, one);
});

test("a link that stays inside is followed", async (t) => {
  const root = await besideSecrets(t, {
    "index.js": 'import a from "a"; export { a };',
    "node_modules/.store/a/index.js": 'export default "mine";',
  });
  await symlink(".store/a", join(root, "node_modules/a"));
  const bundled = await bundle(root);
  assert.is((run(bundled) as { a: string }).a, "mine");
  assert.equal(
    bundled.files.map((file) => file.path),
    ["index.js", "node_modules/.store/a/index.js"],
  );
});

test("a plugin's folder that is itself reached by a link", async (t) => {
  const root = await besideSecrets(t, { "index.js": 'export const a = "mine";' });
  const link = join(root, "../link");
  await symlink(root, link);
  assert.is((run(await bundle(link)) as { a: string }).a, "mine");
});

test("a package of the platform's own node_modules", async (t) => {
  const root = await besideSecrets(t, { "index.js": 'import s from "theirs"; export { s };' });
  await write(join(root, ".."), { "node_modules/theirs/index.js": `export default "${secret}";` });
  await refusedAsOutside(t, root);
});

for (const [what, manifest] of Object.entries({
  main: { main: "../../../outside/secret.js" },
  "main, an absolute path": { main: "/etc/hostname" },
  module: { module: "../../../outside/secret.js" },
  exports: { exports: "../../../outside/secret.js" },
  "exports, behind a dot": { exports: "./../../../outside/secret.js" },
  "exports, by condition": { exports: { ".": { import: "./../../../outside/secret.js", default: "./index.js" } } },
  "exports, escaped": { exports: "./%2e%2e/%2e%2e/%2e%2e/outside/secret.js" },
  "exports, by pattern": { exports: { "./*": "./../../../outside/*.js", ".": "./../../../outside/index.js" } },
  browser: { main: "index.js", browser: "../../../outside/secret.js" },
  "browser, a map": { main: "index.js", browser: { "./index.js": "../../../outside/secret.js" } },
  "browser, a map to an absolute path": { main: "index.js", browser: { "./index.js": "/etc/hostname" } },
  imports: { main: "hash.js", imports: { "#s": "../../../outside/secret.js" } },
})) {
  test(`a package.json that leads outside by ${what}`, async (t) => {
    const root = await besideSecrets(t, {
      "index.js": 'import s from "bad"; export { s };',
      "node_modules/bad/package.json": JSON.stringify(manifest),
      "node_modules/bad/index.js": 'export default "mine";',
      "node_modules/bad/hash.js": 'import s from "#s"; export default s;',
    });
    // Where resolution falls back to the package's own index.js, nothing is lost but the author's intent; all else is
    // refused.
    await refusedAsOutside(t, root);
  });
}

test(
  "what is missing outside is refused as what is there, though the author catches it",
  async (t) => {
    const ways = (path: string): string[] => [
      `export const s = import("${path}").catch(() => {});`,
      `let s; try { s = require("${path}"); } catch {} export { s };`,
    ];
    for (const path of [
      "../outside/missing.js",
      "/etc/missing-7f3a",
      "pkg/../../../outside/missing",
      "./link/missing.js",
    ])
      for (const code of ways(path)) {
        const root = await besideSecrets(t, { "index.js": code });
        await symlink("../outside", join(root, "link"));
        assert.is((await rejection(bundle(root))).code, "ERR_PLUGIN_IMPORT", code);
      }
    for (const target of ["secret.js", "missing.js"]) {
      const root = await besideSecrets(t, {
        "index.js": 'export * from "pkg";',
        "node_modules/pkg/package.json": JSON.stringify({ browser: { "./inner.js": `../../../outside/${target}` } }),
        "node_modules/pkg/index.js": 'export const s = import("./inner.js").catch(() => {});',
      });
      assert.is((await rejection(bundle(root))).code, "ERR_PLUGIN_IMPORT", target);
    }
  },
  { ms: 60_000 },
);

test("a bare file does not learn which files are beside it", async (t) => {
  for (const name of ["neighbour.js", "missing.js"]) {
    const root = await pluginFolder(t, {
      "index.js": `export const s = import("./${name}").catch(() => {});`,
      "neighbour.js": "export const a = 1;",
    });
    assert.is((await refused(t, root, { single: true })).code, "ERR_PLUGIN_IMPORT", name);
  }
});

test("a symlinked package.json", async (t) => {
  const root = await besideSecrets(t, {
    "index.js": 'import s from "bad"; export { s };',
    "node_modules/bad/index.js": 'export default "mine";',
  });
  await symlink("../../../outside/secret.json", join(root, "node_modules/bad/package.json"));
  await refused(t, root);
});

test("a tsconfig.json that extends a file outside is not followed there", async (t) => {
  const root = await pluginFolder(t, {
    "index.ts": "function d(..._: unknown[]) {} export class A { @d m() {} }",
    "tsconfig.json": '{ "extends": "../base.json" }',
    "../base.json": '{ "compilerOptions": { "experimentalDecorators": true } }',
  });
  const bundled = await bundle(root, { entry: `${root}/index.ts` });
  assert.equal(
    bundled.files.map(({ path }) => path),
    ["index.ts"],
  );
  assert.not.match(bundled.code, /__decorateClass/);
});

test("a tsconfig.json inside steers nothing", async (t) => {
  const root = await besideSecrets(t, {
    "index.ts": 'import { b } from "b"; export const a: number = b;',
    "tsconfig.json": '{ "extends": "./base.json", "compilerOptions": { "paths": { "b": ["./evil.ts"] } } }',
    "base.json": "{}",
    "evil.ts": "export const b = 666;",
    "node_modules/b/index.js": "export const b = 1;",
  });
  assert.is((run(await bundle(root, { entry: join(root, "index.ts") })) as { a: number }).a, 1);
});

test("a source map comment that leads outside is not followed", async (t) => {
  const map = JSON.stringify({ version: 3, sources: [secret], names: [], mappings: "AAAA" });
  for (const comment of [
    "//# sourceMappingURL=../outside/x.map",
    "/*# sourceMappingURL=../outside/x.map */",
    "//# sourceMappingURL=../outside/pipe",
  ]) {
    const root = await besideSecrets(t, { "index.js": `export const a = "sourceMappingURL=";\n${comment}` });
    await write(join(root, "../outside"), { "x.map": map });
    execFileSync("mkfifo", [join(root, "../outside/pipe")]);
    const bundled = await bundle(root);
    assert.equal(JSON.parse(bundled.sourceMap).sources, ["index.js"]);
    assert.is((run(bundled) as { a: string }).a, "sourceMappingURL=");
  }
});

test("a named pipe and a device hold nothing up", async (t) => {
  const root = await besideSecrets(t, { "index.js": 'import "./pipe.js";' });
  execFileSync("mkfifo", [join(root, "pipe.js")]);
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.match(error.message, /pipe\.js is a named pipe/);
});

test("a bare file loads itself, node_modules and bulkhead/plugin, and nothing beside it", async (t) => {
  const root = await besideSecrets(t, {
    "index.js": 'import { a } from "a"; import { LocalScope } from "bulkhead/plugin"; export const b = a + LocalScope;',
    "node_modules/a/index.js": 'import b from "./b.js"; export const a = b;',
    "node_modules/a/b.js": 'export default "mine ";',
    "neighbour.js": `export default "${secret}";`,
    "near.js": 'import s from "./neighbour.js"; export { s };',
    "hash.js": 'import s from "#s"; export { s };',
    "package.json": '{ "imports": { "#s": "a" } }',
  });
  const bundled = await bundle(root, { single: true });
  assert.is((run(bundled) as { b: string }).b, "mine local");
  assert.equal(
    bundled.files.map((file) => file.path),
    ["index.js", "node_modules/a/b.js", "node_modules/a/index.js"],
  );
  const error = await refused(t, root, { single: true, entry: join(root, "near.js") });
  assert.is(error.code, "ERR_PLUGIN_IMPORT");
  assert.match(error.message, /neighbour\.js" is another file.*plugin\.json/);
  await refusedAsOutside(t, root, { single: true, entry: join(root, "hash.js") });
  await unlink(join(root, "node_modules/a/b.js"));
  await symlink("../../neighbour.js", join(root, "node_modules/a/b.js"));
  await refusedAsOutside(t, root, { single: true });
});

/** Opens `a.js` in a fresh plugin, lets `swap` happen, reads on. */
async function swapped(t: TestContext, swap: (path: string, root: string) => void): Promise<Error & { code?: string }> {
  const root = await realpath(
    await besideSecrets(t, { "a.js": 'export default "mine";', "b.js": 'export default "MINE";' }),
  );
  const rules: Confinement = { root };
  const path = join(root, "a.js");
  const file = openConfined(path, rules);
  swap(path, root);
  return rejection(Promise.resolve().then(() => readConfined(file, rules)));
}

test("a file swapped between open and read", async (t) => {
  const swaps: Array<(path: string, root: string) => void> = [
    (path, root) => renameSync(join(root, "b.js"), path),
    (path, root) => {
      rmSync(path);
      symlinkSync(join(root, "../outside/secret.js"), path);
    },
    (path) => rmSync(path),
    (path) => writeFileSync(path, 'export default "more than it was";'),
    (path) => writeFileSync(path, ""),
    (path, root) => {
      renameSync(root, `${root}-old`);
      mkdirSync(root);
      writeFileSync(path, "new");
    },
  ];
  for (const swap of swaps) {
    const error = await swapped(t, swap);
    assert.is(error.code, "ERR_PLUGIN_FILE");
    assert.match(error.message, /a\.js changed while it was read/);
  }
});

test("a folder swapped for a link between resolving and opening", async (t) => {
  const root = await realpath(await besideSecrets(t, { "lib/secret.js": "" }));
  rmSync(join(root, "lib"), { recursive: true });
  symlinkSync(join(root, "../outside"), join(root, "lib"));
  const error = await rejection(
    Promise.resolve().then(() => closeSync(openConfined(join(root, "lib/secret.js"), { root }).fd)),
  );
  assert.is(error.code, "ERR_PLUGIN_IMPORT");
  symlinkSync(join(root, "../outside/secret.js"), join(root, "s.js"));
  const link = await rejection(Promise.resolve().then(() => closeSync(openConfined(join(root, "s.js"), { root }).fd)));
  assert.is(link.code, "ERR_PLUGIN_FILE");
  assert.match(link.message, /symbolic link/);
});

test("a file swapped again and again while it is bundled is never read from outside", async (t) => {
  const root = await besideSecrets(t, {
    "index.js": 'import s from "./s.js"; export { s };',
    "s.js": 'export default "mine";',
  });
  const mine = join(root, "mine.js");
  const theirs = join(root, "theirs.js");
  let busy = true;
  const swapping = (async () => {
    while (busy) {
      writeFileSync(mine, 'export default "mine";');
      renameSync(mine, join(root, "s.js"));
      await new Promise((resolve) => setImmediate(resolve));
      symlinkSync("../outside/secret.js", theirs);
      renameSync(theirs, join(root, "s.js"));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let round = 0; round < 12; round++) {
    const outcome = await bundle(root).then(
      ({ code }) => code,
      (error: Error) => error.message,
    );
    assert.not.match(outcome, new RegExp(secret));
  }
  busy = false;
  await swapping;
});

test.run();
