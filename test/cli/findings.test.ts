/** `check` names, with its line, what the code uses and the manifest does not ask for, the reverse, and what is not there. */
import "../kit/bundles.js";
import { join } from "node:path";
import type { MakeHost } from "#dist/cli/check.js";
import { assert, suite, type TestContext } from "../harness.js";
import { cli, fill } from "./cli.js";

const test = suite("cli/findings");

/** Runs nothing: the findings come from the code alone. */
const idle: MakeHost = async () => ({
  plugins: () => [{ name: "one", state: "running", drivers: [] }],
  close: async () => {},
});

interface Finding {
  readonly kind: string;
  readonly name: string;
  readonly permission?: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly message: string;
}

interface Checked {
  readonly found: readonly Finding[];
  readonly text: string;
}

async function checked(t: TestContext, files: Readonly<Record<string, string>>): Promise<Checked> {
  const root = await t.folder();
  await fill(join(root, "one"), { "plugin.json": "{}", ...files });
  const json = await cli(["check", join(root, "one"), "--json"], idle);
  assert.is(json.exit, 0, json.out);
  const { out } = await cli(["check", join(root, "one")], idle);
  return { found: json.json().findings as Finding[], text: out };
}

const rows = (found: readonly Finding[]): unknown[] => found.map(({ kind, name, line }) => [kind, name, line]);

test("globals and powers that the manifest does not ask for", async (t) => {
  const { found, text } = await checked(t, {
    "plugin.json": '{ "permissions": {} }',
    "index.js": `export async function init(callback, powers) {
  console.log("x");
  setTimeout(() => {}, 1);
  const now = [Date.now(), new Date(), new Date(0), Math.max(1, 2)];
  const any = Math.random();
  await powers.store.get("k");
  const { netlink } = powers;
  return [now, any, netlink];
}
`,
  });
  assert.equal(rows(found), [
    ["not-asked", "console", 2],
    ["not-asked", "setTimeout", 3],
    ["not-asked", "Date.now()", 4],
    ["not-asked", "new Date()", 4],
    ["not-asked", "Math.random()", 5],
    ["not-asked", "powers.store", 6],
    ["not-asked", "powers.netlink", 7],
  ]);
  assert.equal(
    found.map(({ permission }) => permission),
    ["log", "timers", "clock", "clock", "random", "store", "netlink"],
  );
  assert.match(
    text,
    /^ {2}not asked {4}index\.js:3: setTimeout needs the permission "timers"; ask for it under "permissions" in the manifest$/m,
  );
});

test("without permissions in the manifest, the harmless ones are there", async (t) => {
  const { found } = await checked(t, {
    "index.js":
      "export function init(_, { store, firewall }) {\n  console.log(setTimeout, store, firewall, Date.now());\n}\n",
  });
  assert.equal(rows(found), [["not-asked", "powers.firewall", 1]]);
});

test("permissions that nothing uses, with the manifest's line; those that reach the code through a function are used", async (t) => {
  const { found, text } = await checked(t, {
    "plugin.json":
      '{\n  "permissions": {\n    "log": true,\n    "timers": true,\n    "store": true,\n    "random": true\n  },\n  "optionalPermissions": { "firewall": true }\n}',
    "index.js": 'import { start } from "./start.js";\nexport const init = (callback, powers) => start(powers);\n',
    "start.js": "export async function start({ store }) {\n  console.log(await store.keys());\n}\n",
  });
  assert.equal(rows(found), [
    ["not-used", "timers", 4],
    ["not-used", "random", 6],
    ["not-used", "firewall", 8],
  ]);
  assert.match(text, /^ {2}not used {5}plugin\.json:4: it asks for "timers", and nothing in its code uses that/m);
});

test("what authors try first: what to do instead", async (t) => {
  const { found } = await checked(t, {
    "index.ts": `export async function init(): Promise<void> {
  const seen: unknown[] = [process.env.HOME, Buffer.from("x"), new Intl.NumberFormat("de")];
  await fetch("http://example.com");
  const load = (require as (name: string) => unknown)("fs" + seen.length);
  if (typeof window !== "undefined") seen.push(load);
}
`,
  });
  assert.equal(rows(found), [
    ["absent", "process", 2],
    ["absent", "Buffer", 2],
    ["bounded", "Intl", 2],
    ["absent", "fetch", 3],
    ["absent", "require", 4],
  ]);
  const words = new Map(found.map(({ name, message }) => [name, message]));
  assert.match(words.get("process") ?? "", /comes with config\(options\)/);
  assert.match(words.get("Buffer") ?? "", /use Uint8Array/);
  assert.match(words.get("Intl") ?? "", /UTC and en-US/);
  assert.match(words.get("fetch") ?? "", /opens no connections/);
  assert.match(words.get("require") ?? "", /write "import"/);
});

test("names of the author's own, packages and Bulkhead's own modules are no findings", async (t) => {
  const { found } = await checked(t, {
    "plugin.json": '{ "permissions": {} }',
    "index.js": `import { fail } from "bulkhead/plugin";
import { Pool, LinkNames } from "bulkhead/plugin/addressing";
import { old } from "old";
export function init(callback) {
  const fetch = () => [fail, Pool, LinkNames, old];
  return fetch();
}
`,
    "node_modules/old/package.json": '{ "main": "index.js" }',
    "node_modules/old/index.js": "exports.old = () => [process.env.X, console, setTimeout];\n",
  });
  assert.equal(found, []);
});

test("of one name, the first places", async (t) => {
  const { found } = await checked(t, {
    "index.js": `export function init() {\n${"  fetch();\n".repeat(20)}}\n`,
  });
  assert.equal(rows(found), [
    ["absent", "fetch", 2],
    ["absent", "fetch", 3],
    ["absent", "fetch", 4],
  ]);
});

test.run();
