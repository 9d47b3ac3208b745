/** What counts as a plugin, what is ignored, and what is refused with which words. */
import { execFileSync } from "node:child_process";
import { mkdir, open, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Discovered, discoverPlugins } from "#dist/host/discovery.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";

const test = suite("host/discovery");

type Files = Readonly<Record<string, string>>;

/** Files by path; a path that ends in `/` is an empty folder. */
async function fill(root: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const full = join(root, path);
    await mkdir(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (!path.endsWith("/")) await writeFile(full, text);
  }
}

async function discover(t: TestContext, files: Files): Promise<Discovered[]> {
  const root = await t.folder();
  await fill(root, files);
  return discoverPlugins([root]);
}

/** The one plugin found. */
async function only(t: TestContext, files: Files): Promise<Discovered> {
  const found = await discover(t, files);
  assert.equal(found.map(({ id }) => id).length, 1, JSON.stringify(found));
  return found[0] as Discovered;
}

function refused(found: Discovered, code: string, ...words: string[]): void {
  assert.is(found.error?.code, code);
  assert.is(found.error?.plugin, found.id);
  for (const word of words) assert.match(found.error?.message ?? "", word);
}

test("files of the three kinds, with and without a manifest beside them, sorted by id", async (t) => {
  const root = await t.folder();
  await fill(root, { "b.mjs": "", "a.js": "", "c-1.ts": "", "c-1.plugin.json": '{"version": "1.0", "name": "c-1"}' });
  const found = await discoverPlugins([root]);
  assert.equal(
    found.map(({ id, kind, path, entry, version, error }) => ({ id, kind, path, entry, version, error })),
    [
      {
        id: "a",
        kind: "file",
        path: join(root, "a.js"),
        entry: join(root, "a.js"),
        version: undefined,
        error: undefined,
      },
      {
        id: "b",
        kind: "file",
        path: join(root, "b.mjs"),
        entry: join(root, "b.mjs"),
        version: undefined,
        error: undefined,
      },
      {
        id: "c-1",
        kind: "file",
        path: join(root, "c-1.ts"),
        entry: join(root, "c-1.ts"),
        version: "1.0",
        error: undefined,
      },
    ],
  );
  assert.equal(found[2]?.manifest, { version: "1.0", name: "c-1" });
  assert.is(found[2]?.manifestPath, join(root, "c-1.plugin.json"));
  assert.is(Buffer.from(found[2]?.manifestBytes ?? []).toString(), '{"version": "1.0", "name": "c-1"}');
  assert.is(found[0]?.manifest, undefined);
  assert.is(found[0]?.root, root);
});

test("a folder: its main, else the first of index.js, index.mjs, index.ts", async (t) => {
  const root = await t.folder();
  await fill(root, {
    "a/plugin.json": '{"main": "./src/code.ts"}',
    "a/src/code.ts": "",
    "b/plugin.json": "{}",
    "b/index.ts": "",
    "b/index.mjs": "",
    "c/plugin.json": "{}",
    "c/index.ts": "",
  });
  const found = await discoverPlugins([root]);
  assert.equal(
    found.map(({ entry }) => entry),
    [join(root, "a/src/code.ts"), join(root, "b/index.mjs"), join(root, "c/index.ts")],
  );
  assert.is(found[0]?.root, join(root, "a"));
  assert.is(found[0]?.kind, "folder");
});

test("files that are not plugins are ignored", async (t) => {
  const found = await discover(t, {
    ".hidden.js": "",
    ".git/x": "",
    "node_modules/a/index.js": "",
    "x.d.ts": "",
    "x.d.mts": "",
    "README.md": "",
    "data.json": "",
    "plugin.json": "",
    "x.js~": "",
    ".x.js.swp": "",
    "x.swp": "",
    "x.txt": "",
    Makefile: "",
    "x.js.map": "",
    "old~/a": "",
    "old.swp/a": "",
    "x.py": "",
  });
  assert.equal(found, []);
});

test("a name that is not an id", async (t) => {
  for (const name of ["Bridge.js", "1a.js", "a_b.ts", "a.test.js", `${"a".repeat(33)}.js`, "-a.mjs"]) {
    refused(await only(t, { [name]: "" }), "ERR_PLUGIN_NAME", name, "[a-z][a-z0-9-]{0,31}", "rename");
  }
  refused(await only(t, { "My Plugin/plugin.json": "{}" }), "ERR_PLUGIN_NAME", "My Plugin");
  assert.is((await only(t, { [`${"a".repeat(32)}.js`]: "" })).error, undefined);
});

test("a name that would forge a line of the message is quoted", async (t) => {
  const { error } = await only(t, { "a\nok.js": "" });
  assert.is(error?.code, "ERR_PLUGIN_NAME");
  assert.not.match(error?.message ?? "", "\n");
});

test("a kind that looks loadable and is not", async (t) => {
  for (const name of ["x.cjs", "x.cts", "x.mts", "x.jsx", "x.tsx", "x.JS"]) {
    refused(await only(t, { [name]: "" }), "ERR_PLUGIN_FILE", name, ".js, .mjs, .ts do");
  }
});

test("a manifest without code, and code without a manifest in a folder", async (t) => {
  refused(await only(t, { "x.plugin.json": "{}" }), "ERR_PLUGIN_FILE", "x.plugin.json", "without code", '"x.js"');
  refused(await only(t, { "x/index.js": "" }), "ERR_MANIFEST_MISSING", "x/plugin.json");
  refused(await only(t, { "x/": "" }), "ERR_MANIFEST_MISSING", "x/plugin.json");
  refused(await only(t, { "x/plugin.json": "{}" }), "ERR_PLUGIN_FILE", "index.js, index.mjs, index.ts");
  refused(
    await only(t, { "x/plugin.json": '{"main": "no.js"}' }),
    "ERR_PLUGIN_FILE",
    "no.js",
    "the file does not exist",
  );
});

test("a folder with a file's name", async (t) => {
  refused(await only(t, { "x.js/plugin.json": "{}" }), "ERR_PLUGIN_FILE", "x.js", 'call it "x"');
});

test("a manifest's mistake is the plugin's error, with file and line; the others are found", async (t) => {
  const found = await discover(t, {
    "x.js": "",
    "x.plugin.json": '{\n"scop": 1}',
    "y.js": "",
    "y.plugin.json": '{"name": "z"}',
    "z.js": "",
  });
  refused(found[0] as Discovered, "ERR_MANIFEST_INVALID", "x.plugin.json:2:1: scop", "scope");
  refused(found[1] as Discovered, "ERR_MANIFEST_INVALID", 'must be "y"');
  assert.is(found[2]?.error, undefined);
});

test("a manifest beside a file cannot name other code as main", async (t) => {
  assert.is((await only(t, { "x.js": "", "x.plugin.json": '{"main": "./x.js"}' })).error, undefined);
  const found = await discover(t, { "x.js": "", "x.plugin.json": '{"main": "y.js"}', "y.js": "" });
  refused(found[0] as Discovered, "ERR_MANIFEST_INVALID", '"x.js"', "main");
});

test("an id found twice: one entry, ERR_PLUGIN_DUPLICATE, every path named", async (t) => {
  refused(await only(t, { "x.js": "", "x.ts": "" }), "ERR_PLUGIN_DUPLICATE", "x.js", "x.ts");
  refused(
    await only(t, { "x.js": "", "x/plugin.json": "{}", "x/index.js": "" }),
    "ERR_PLUGIN_DUPLICATE",
    "x.js",
    "/x and ",
  );
  refused(
    await only(t, { "x.js": "", "x.mjs": "", "x.ts": "", "x.plugin.json": "{}" }),
    "ERR_PLUGIN_DUPLICATE",
    "x.js",
    "x.mjs",
    "x.ts",
  );

  const [one, two] = [await t.folder(), await t.folder()];
  await fill(one, { "x.js": "", "y.js": "" });
  await fill(two, { "x/plugin.json": "{}", "x/index.js": "" });
  const found = await discoverPlugins([one, two]);
  assert.equal(
    found.map(({ id }) => id),
    ["x", "y"],
  );
  refused(found[0] as Discovered, "ERR_PLUGIN_DUPLICATE", join(one, "x.js"), join(two, "x"));
  assert.is(found[0]?.entry, undefined);
  assert.is(found[1]?.error, undefined);
});

test("a folder named twice, or once through a link, holds no duplicates of itself", async (t) => {
  const root = await t.folder();
  await fill(root, { "x.js": "" });
  const link = join(await t.folder(), "link");
  await symlink(root, link);
  const found = await discoverPlugins([root, link, `${root}/`]);
  assert.is(found.length, 1);
  assert.is(found[0]?.error, undefined);
});

test("links are refused: file, folder, manifest, main, and a folder on the way to main", async (t) => {
  const outside = await t.folder();
  await fill(outside, { "code.js": "", "code.plugin.json": "{}", "plugin.json": "{}", "index.js": "" });
  const root = await t.folder();
  await fill(root, {
    "m.js": "",
    "i/plugin.json": "{}",
    "d/plugin.json": '{"main": "lib/index.js"}',
    "p/index.js": "",
  });
  await symlink(join(outside, "code.js"), join(root, "f.js"));
  await symlink(join(root, "m.js"), join(root, "g.js"));
  await symlink(outside, join(root, "k"));
  await symlink(join(outside, "code.plugin.json"), join(root, "m.plugin.json"));
  await symlink(join(outside, "index.js"), join(root, "i/index.js"));
  await symlink(outside, join(root, "d/lib"));
  await symlink(join(outside, "plugin.json"), join(root, "p/plugin.json"));
  const found = await discoverPlugins([root]);
  assert.equal(
    found.map(({ id }) => id),
    ["d", "f", "g", "i", "k", "m", "p"],
  );
  for (const one of found) refused(one, "ERR_PLUGIN_FILE", one.id === "d" ? "outside" : "symbolic link");
});

test(
  "a pipe and a huge manifest are told at once, and nothing hangs",
  async (t) => {
    const root = await t.folder();
    await fill(root, { "b.js": "", "h.js": "", "q/index.js": "", "u.js": "" });
    for (const name of ["a.js", "b.plugin.json", "q/plugin.json"]) execFileSync("mkfifo", [join(root, name)]);
    const huge = await open(join(root, "h.plugin.json"), "w");
    await huge.truncate(50_000_000);
    await huge.close();
    await writeFile(join(root, "u.plugin.json"), Buffer.from([0x7b, 0xff, 0x7d]));
    const [a, b, h, q, u] = await discoverPlugins([root]);
    refused(a as Discovered, "ERR_PLUGIN_FILE", "not a regular file");
    refused(b as Discovered, "ERR_PLUGIN_FILE", "not a regular file");
    refused(q as Discovered, "ERR_PLUGIN_FILE", "not a regular file");
    refused(h as Discovered, "ERR_MANIFEST_INVALID", "50000000 bytes", "65536");
    refused(u as Discovered, "ERR_MANIFEST_INVALID", "UTF-8");
  },
  { ms: 5000 },
);

test("a plugins folder that does not exist, or is not a folder, is an error", async (t) => {
  const root = await t.folder();
  await fill(root, { file: "" });
  for (const [path, word] of [
    ["no", "the folder does not exist"],
    ["file", "it is not a folder"],
  ] as const) {
    const error = await rejection(discoverPlugins([root, join(root, path)]));
    assert.is(error.code, "ERR_PLUGINS_DIR");
    assert.match(error.message, join(root, path));
    assert.match(error.message, word);
  }
});

test.run();
