/** The digest a policy pins: the same for the same plugin, another for any other. */
import { createHash } from "node:crypto";
import { appendFile, cp, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pluginDigest } from "#dist/bundler/digest.js";
import { assert, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { bundle, pluginFolder, run, write } from "./plugin-folder.js";

const test = suite("bundler: digest");
forgetBundles();
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
    pluginDigest([a, b], undefined, undefined, hash("c")),
    pluginDigest([a, b], undefined, undefined, hash("d")),
    pluginDigest([a, b], manifest, undefined, hash("c")),
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
  const digest = async (folder: string): Promise<string> => {
    const { files, imports } = await bundle(folder);
    return pluginDigest(files, manifest, undefined, imports);
  };
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

/** Two folders that differ, both of them always part of the bundle, whichever is meant. */
const TWO = {
  "index.js": `
    import { a } from "#one"; import { b } from "two"; import { c } from "./three/c.js"; export const all = [a, b, c];
    export * as x from "./lib/x/index.js"; export * as y from "./lib/y/index.js";`,
  "package.json": '{ "imports": { "#one": "./lib/x/c.js" } }',
  "lib/x/index.js": 'export * from "./c.js";',
  "lib/y/index.js": 'export * from "./c.js";',
  "lib/x/c.js": 'export const [a, b, c] = "xxx";',
  "lib/y/c.js": 'export const [a, b, c] = "yyy";',
};

test("it follows the links by which the same files are imported", async (t) => {
  const root = await pluginFolder(t, { ...TWO, "node_modules/other/index.js": "" });
  const digests = new Set<string>();
  const wired: unknown[] = [];
  for (const [two, three] of ["xx", "xy", "yx", "yy"]) {
    for (const [link, target] of [
      ["node_modules/two", `../lib/${two}`],
      ["three", `lib/${three}`],
    ] as const) {
      await rm(join(root, link), { force: true });
      await symlink(target, join(root, link));
    }
    const bundled = await bundle(root);
    wired.push((run(bundled) as { all: unknown }).all);
    assert.is(bundled.files.length, 6);
    digests.add(pluginDigest(bundled.files, undefined, undefined, bundled.imports));
  }
  assert.equal(wired, [
    ["x", "x", "x"],
    ["x", "x", "y"],
    ["x", "y", "x"],
    ["x", "y", "y"],
  ]);
  assert.is(digests.size, 4);
});

test("one file, the runtime's own beside it: there are no imports to follow", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'import { NEXTHOP } from "bulkhead/plugin"; export const next = NEXTHOP;',
  });
  assert.is((await bundle(root)).imports, undefined);
  const named = { "index.js": 'export * from "./bulkhead:plugin.js";', "bulkhead:plugin.js": "export const a = 1;" };
  assert.match((await bundle(await pluginFolder(t, named))).imports ?? "", /^[0-9a-f]{64}$/);
});

test.run();
