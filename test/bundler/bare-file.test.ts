/** A bare file that imports what stands beside it is told the rule, whether that is there or not; nothing of spelling. */
import { assert, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { bundle, pluginFolder, refused, write } from "./plugin-folder.js";

const test = suite("bundler: beside a bare file");
forgetBundles();

for (const sibling of ["./data.json", "./more.js", "./lib/pool.ts", "../up.js"]) {
  for (const there of [true, false]) {
    test(`${sibling}, ${there ? "there" : "not there"}`, async (t) => {
      const root = await pluginFolder(t, { "index.js": `\nimport "${sibling}";\nexport function init() {}\n` });
      if (there) await write(root, { [sibling]: sibling.endsWith(".json") ? "{}" : "export {};" });
      const error = await refused(t, root, { single: true });
      assert.is(error.code, "ERR_PLUGIN_IMPORT");
      assert.match(
        error.message,
        `"${sibling}" is another file, and a plugin that is a bare file may load only itself`,
      );
      assert.match(error.message, "put them into a folder with a plugin.json");
      assert.not.match(error.message, "spelling");
      assert.equal([error.file, error.line], ["index.js", 2]);
    });
  }
}

test("itself, and packages that load their own files, are no siblings", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'import * as self from "./index.js";\nimport "some";\nexport function init() { return self; }\n',
    "node_modules/some/package.json": '{ "main": "a.js" }',
    "node_modules/some/a.js": 'import "./b.js";',
    "node_modules/some/b.js": "globalThis.x;",
  });
  const { files } = await bundle(root, { single: true });
  assert.ok(files.some(({ path }) => path === "node_modules/some/b.js"));
});

test.run();
