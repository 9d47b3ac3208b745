/** Bad files: one error each, which names the file or line and says what to do. */
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { pluginFolder, refused, write } from "./plugin-folder.js";

const test = suite("bundler: bad input");
forgetBundles();

interface Bad {
  readonly what: string;
  readonly files: Record<string, string | Uint8Array>;
  readonly code: string;
  readonly says: RegExp;
  readonly file?: string;
  readonly line?: number;
}

const binary = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]);
const cases: Bad[] = [
  { what: "a missing file", files: {}, code: "ERR_PLUGIN_FILE", says: /index\.js is missing; create it/ },
  { what: "an empty file", files: { "index.js": "" }, code: "ERR_PLUGIN_FILE", says: /index\.js is empty; .*init/ },
  {
    what: "a binary file",
    files: { "index.js": binary },
    code: "ERR_PLUGIN_FILE",
    says: /index\.js is binary; .*UTF-8/,
  },
  {
    what: "a file in another encoding",
    files: { "index.js": Uint8Array.from([0x61, 0xff, 0xfe]) },
    code: "ERR_PLUGIN_FILE",
    says: /UTF-8/,
  },
  {
    what: "a file of 50 MB",
    files: { "index.js": Buffer.alloc(50_000_000, " ") },
    code: "ERR_PLUGIN_SIZE",
    says: /50000000 bytes.*1048576.*load less/,
  },
  {
    what: "wrong syntax",
    files: { "index.js": "let a = 1;\nlet b = ;" },
    code: "ERR_PLUGIN_SYNTAX",
    says: /index\.js:2:9: Unexpected ";"/,
    line: 2,
  },
  {
    what: "wrong syntax in TypeScript",
    files: { "index.js": 'import "./b.ts"', "b.ts": "\n\nlet x: = 1" },
    code: "ERR_PLUGIN_SYNTAX",
    says: /b\.ts:3:/,
    file: "b.ts",
    line: 3,
  },
  {
    what: "wrong JSON",
    files: { "index.js": 'import "./b.json"', "b.json": '{\n"a": }' },
    code: "ERR_PLUGIN_SYNTAX",
    says: /b\.json:2:/,
    file: "b.json",
    line: 2,
  },
  {
    what: "a binary import",
    files: { "index.js": '\nimport "./b.js"', "b.js": binary },
    code: "ERR_PLUGIN_FILE",
    says: /index\.js:2:8: b\.js is binary/,
    line: 2,
  },
  {
    what: "an import that is missing",
    files: { "index.js": '\nimport "./b.js"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /index\.js:2:8: "\.\/b\.js" is not found; check/,
    line: 2,
  },
  {
    what: "a package that is missing",
    files: { "index.js": '\nimport "left-pad"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /npm install/,
    line: 2,
  },
  {
    what: "a module of Node's",
    files: { "index.js": '\nimport "fs"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /the sandbox does not have.*permissions/,
    line: 2,
  },
  {
    what: "a module of Node's by scheme",
    files: { "index.js": '\nimport "node:net"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /the sandbox does not have.*permissions/,
    line: 2,
  },
  {
    what: "a web address",
    files: { "index.js": '\nimport "https://example.org/x.js"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /is a URL/,
    line: 2,
  },
  {
    what: "a data address",
    files: { "index.js": '\nimport "data:text/javascript,1"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /is a URL/,
    line: 2,
  },
  {
    what: "a file address",
    files: { "index.js": '\nimport "file:///etc/hostname"' },
    code: "ERR_PLUGIN_IMPORT",
    says: /is a URL/,
    line: 2,
  },
  {
    what: "a name that is not exported",
    files: { "index.js": 'import { nope } from "./b.js"; nope()', "b.js": "export {}" },
    code: "ERR_PLUGIN_SYNTAX",
    says: /nope/,
    line: 1,
  },
];

for (const { what, files, code, says, file = "index.js", line } of cases) {
  test(`${what}: ${code}`, async (t) => {
    const error = await refused(t, await pluginFolder(t, files));
    assert.is(error.code, code, error.message);
    assert.match(error.message, says);
    assert.is(error.file, file);
    assert.is(error.line, line);
  });
}

test("a folder named index.js, with an index.js in it", async (t) => {
  const root = await pluginFolder(t, { "index.js/index.js": "export const a = 1" });
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.match(error.message, /index\.js is a folder/);
});

test("an entry that is a symbolic link, even to a file beside it", async (t) => {
  const root = await pluginFolder(t, { "real.js": "export const a = 1" });
  await symlink("real.js", join(root, "index.js"));
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.match(error.message, /index\.js is a symbolic link; put the file itself there/);
});

test("an entry of an unknown kind", async (t) => {
  const root = await pluginFolder(t, { "index.py": "print(1)" });
  const error = await refused(t, root, { entry: join(root, "index.py") });
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.match(error.message, /index\.py.*\.mts/);
});

test("a plugin's folder that is missing", async (t) => {
  const root = join(await t.folder(), "gone");
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.match(error.message, /gone is missing/);
});

test("a message holds no control characters of a hostile file's", async (t) => {
  const root = await pluginFolder(t, { "index.js": 'import "./\\x1b[2J\\u202eb\\n.js"' });
  const error = await refused(t, root);
  assert.not.match(error.message, /[\p{Cc}\p{Cf}]/u);
  assert.match(error.message, /1b.*202e/);
});

test("the author's package.json drops no import in silence", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": '\nimport "./setup.js"; export const a = 1;',
    "setup.js": "globalThis.x = 1;",
  });
  await write(join(root, ".."), { "package.json": '{ "name": "platform", "sideEffects": false }' });
  await mkdir(join(root, "node_modules"));
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_IMPORT");
  assert.is(error.line, 2);
  assert.match(error.message, /sideEffects/);
});

test.run();
