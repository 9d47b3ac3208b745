/** The digest a policy pins: the same for the same plugin, another for any other. */
import { createHash } from "node:crypto";
import { appendFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { pluginDigest } from "#dist/bundler/digest.js";
import { assert, suite } from "../harness.js";
import { bundle, pluginFolder, write } from "./plugin-folder.js";

const test = suite("bundler: digest");
const manifest = Buffer.from('{ "name": "sample" }');
const hash = (char: string): string => char.repeat(64);

test("it is the sha256 of the sorted list and the manifest, written as JSON", () => {
  const files = [
    { path: "b.js", sha256: hash("b") },
    { path: "B.js", sha256: hash("c") },
    { path: "a/é.js", sha256: hash("a") },
  ];
  const digest = pluginDigest(files, manifest);
  const inner = createHash("sha256").update(manifest).digest("hex");
  const written = `[[["B.js","${hash("c")}"],["a/é.js","${hash("a")}"],["b.js","${hash("b")}"]],["plugin.json","${inner}"]]`;
  assert.is(digest, createHash("sha256").update(written).digest("hex"));
  assert.is(pluginDigest([...files].reverse(), manifest), digest);
  assert.is(pluginDigest(files, manifest, "plugin.json"), digest);
});

test("no two different plugins are written alike", () => {
  const a = { path: "a.js", sha256: hash("a") };
  const b = { path: "b.js", sha256: hash("b") };
  const digests = [
    pluginDigest([], undefined),
    pluginDigest([], manifest),
    pluginDigest([a], undefined),
    pluginDigest([a], manifest),
    pluginDigest([a], manifest, "a.plugin.json"),
    pluginDigest([a], Buffer.concat([manifest, Buffer.from("\n")])),
    pluginDigest([a], Buffer.alloc(0)),
    pluginDigest([b], undefined),
    pluginDigest([a, b], undefined),
    pluginDigest(
      [
        { path: "a.js", sha256: b.sha256 },
        { path: "b.js", sha256: a.sha256 },
      ],
      undefined,
    ),
    pluginDigest([{ path: `a.js","${hash("a")}"],["b.js`, sha256: hash("b") }], undefined),
  ];
  assert.is(new Set(digests).size, digests.length);
});

test("it follows every file of the bundle, in whatever folder the plugin stands", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'import { a } from "./a.js"; import { b } from "b"; export const c = a + b;',
    "a.js": "export const a = 1;",
    "idle.js": "export const idle = 1;",
    "node_modules/b/index.js": "export const b = 1;",
    "node_modules/b/package.json": '{ "main": "index.js" }',
  });
  const digest = async (folder: string): Promise<string> => pluginDigest((await bundle(folder)).files, manifest);
  const first = await digest(root);
  assert.is(await digest(root), first);
  const copy = join(await t.folder(), "elsewhere");
  await cp(root, copy, { recursive: true });
  assert.is(await digest(copy), first);
  await appendFile(join(root, "idle.js"), "// no part of the bundle");
  assert.is(await digest(root), first);
  const seen = new Set([first]);
  for (const path of ["index.js", "a.js", "node_modules/b/index.js", "node_modules/b/package.json"]) {
    await appendFile(join(root, path), "\n");
    seen.add(await digest(root));
  }
  await write(root, { "node_modules/b/package.json": '{ "main": "index.js", "sideEffects": false }' });
  seen.add(await digest(root));
  assert.is(seen.size, 6);
});

test.run();
