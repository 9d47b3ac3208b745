/** `new` writes a plugin that checks, type-checks and keeps the contract as written, in both languages and with each permission. */
import "../kit/bundles.js";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { TYPESCRIPT } from "#dist/cli/new/project-files.js";
import type { JsonObject } from "#dist/index.js";
import { PERMISSIONS } from "#dist/permissions/catalogue.js";
import { driverContract } from "#dist/testing.js";
import { FULL } from "../amounts.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { cli } from "./cli.js";

const test = suite("cli/new");
const run = promisify(execFile);
const ALL = Object.keys(PERMISSIONS);

/** A folder in which Bulkhead is installed. */
async function project(t: TestContext): Promise<string> {
  const folder = await t.folder();
  await mkdir(join(folder, "node_modules"));
  await symlink(REPO, join(folder, "node_modules/bulkhead"));
  return folder;
}

interface Manifest {
  readonly $schema: string;
  readonly permissions: Readonly<Record<string, unknown>>;
}

const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, "plugin.json"), "utf8")) as Manifest;

/** What an author meets first. BULKHEAD_LONG=1 tries every rule. */
const FIRST = /^(nine-methods|addresses-are-unique|restart-during-createEndpoint)$/;

async function brokenRules(plugin: string): Promise<readonly string[]> {
  const network = (n: number): JsonObject => ({ "com.docker.network.generic": { subnet: `10.64.${n}.0/24` } });
  const rules = driverContract({ plugin, network, rounds: 5 }).filter(({ id }) => FULL || FIRST.test(id));
  assert.ok(rules.length >= 3);
  const broken: string[] = [];
  for (const rule of rules) await rule.run().catch((error: Error) => broken.push(error.message));
  return broken;
}

/** Sets of `--with`, each in one of the two languages; `store` comes with `netlink`, and both with `firewall`, `resolver` or `traffic`. */
const SETS: readonly (readonly [id: string, flags: readonly string[], asks: readonly string[]])[] = [
  ["plain", [], ["log"]],
  ["plain-ts", ["--ts"], ["log"]],
  ...ALL.filter((name) => !["log", "netlink", "firewall", "resolver", "traffic"].includes(name)).map(
    (name) => [name, ["--with", name], ["log", name]] as const,
  ),
  ["netlink", ["--with", "netlink"], ["log", "store", "netlink"]],
  ["firewall", ["--with", "firewall"], ["log", "store", "netlink", "firewall"]],
  ["resolver", ["--with", "resolver"], ["log", "store", "netlink", "resolver"]],
  ["traffic", ["--with", "traffic"], ["log", "store", "netlink", "traffic"]],
  ["all-ts", ["--ts", "--with", ALL.slice(0, 3).join(","), "--with", ALL.slice(3).join(", ")], ALL],
];

for (const [id, flags, asks] of SETS) {
  test(
    `${id}: asks for ${asks.join(", ")}, and checks and keeps the contract as written`,
    async (t) => {
      const root = await project(t);
      const folder = join(root, "plugins", id);
      const made = await cli(["new", folder, ...flags, "--json"]);
      assert.is(made.exit, 0, made.out);
      const json = made.json() as unknown as { files: string[]; permissions: string[]; plugin: string };
      assert.equal([json.plugin, json.permissions], [id, asks]);
      assert.equal(
        (await readdir(folder, { recursive: true })).filter((name) => name !== "test").sort(),
        [...json.files].sort(),
      );
      const { permissions, $schema } = await manifestOf(folder);
      assert.equal(Object.keys(permissions), asks);
      assert.ok(existsSync(join(folder, $schema)), "the schema's path");

      const checked = await cli(["check", folder, "--json"]);
      assert.is(checked.exit, 0, checked.out);
      assert.equal([checked.json().drivers, checked.json().findings], [[{ type: id, scope: "local" }], []]);
      if (flags.includes("--ts"))
        await run(process.execPath, [join(REPO, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", folder]);
      assert.equal(await brokenRules(folder), []);
    },
    { ms: 300_000 },
  );
}

test(
  "the test that it writes passes under node --test, and fails when the driver breaks a rule",
  async (t) => {
    const root = await project(t);
    const folder = join(root, "mine");
    await cli(["new", folder]);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const pattern = FULL ? "." : "mine|addresses-are-unique|gives the first";
    const args = ["--import", join(REPO, "build/test/kit/bundles.js"), "--test", "--test-reporter=tap"];
    const tested = (): Promise<string> =>
      run(process.execPath, [...args, `--test-name-pattern=${pattern}`], { cwd: folder, env }).then(
        ({ stdout }) => stdout,
        ({ stdout }: { readonly stdout: string }) => stdout,
      );
    const passed = await tested();
    assert.match(passed, /^# fail 0$/m, passed);
    assert.match(passed, / ok \d+ - gives the first endpoint \.2/);
    assert.match(passed, / ok \d+ - addresses-are-unique/);
    const driver = join(folder, "index.js");
    const text = await readFile(driver, "utf8");
    await writeFile(
      driver,
      text
        .replace("epInfo.addInterface(taken.id,", "epInfo.addInterface(0 * taken.id + 1,")
        .replace("taken.ipv4, taken.ipv6);", '"10.64.0.7/24", "");'),
    );
    const failed = await tested();
    assert.match(failed, /not ok \d+ - addresses-are-unique/, failed);
  },
  { ms: 300_000 },
);

test("a folder that is not empty is left as it is; an empty one is used", async (t) => {
  const root = await project(t);
  const folder = join(root, "mine");
  await mkdir(folder);
  await writeFile(join(folder, "notes"), "mine\n");
  const refused = await cli(["new", folder, "--json"]);
  assert.equal([refused.exit, refused.json().error?.code], [1, "ERR_PLUGIN_FILE"]);
  assert.match(refused.json().error?.message ?? "", `${folder} is there already, and is not empty`);
  assert.equal(await readdir(folder), ["notes"]);
  await mkdir(join(root, "empty"));
  assert.is((await cli(["new", join(root, "empty")])).exit, 0);
  const inTheWay = await cli(["new", join(folder, "notes")]);
  assert.is(inTheWay.exit, 1);
  assert.match(inTheWay.err, /error ERR_PLUGIN_FILE: .*a file is in the way/);
});

test("a name that cannot be a plugin's is refused with the rule that it breaks, and nothing is written", async (t) => {
  const root = await project(t);
  for (const [name, rule] of [
    ["Net", /"Net" is not a plugin's name: it must begin with a lowercase letter, a to z/],
    ["1net", /must begin with a lowercase letter/],
    ["my_net", /may hold only a to z, 0 to 9 and "-", and has "_"/],
    ["my\u001b[2Jnet", /"my\\u001b\[2Jnet".* has "\\u001b"/],
    ["n".repeat(33), /has 33 characters, and may have 32/],
  ] as const) {
    const { exit, err } = await cli(["new", join(root, name)]);
    assert.is(exit, 2, name);
    assert.match(err, rule);
    assert.is(err.split("\n").length, 2, "one line");
    assert.not.ok(existsSync(join(root, name)));
  }
});

test("an unknown permission: the nearest one, and all", async (t) => {
  const folder = join(await project(t), "mine");
  const { exit, err } = await cli(["new", folder, "--with", "store,netlnk"]);
  assert.is(exit, 2);
  assert.is(err, `error ERR_USAGE: --with "netlnk": did you mean "netlink"? the permissions are ${ALL.join(", ")}\n`);
  assert.not.ok(existsSync(folder));
});

test("where Bulkhead is not installed, package.json asks for it, and the next steps begin with npm install", async (t) => {
  const folder = join(await t.folder(), "mine");
  const made = await cli(["new", folder, "--ts"]);
  assert.match(made.out, /\nnext:\n {2}cd .*mine\n {2}npm install\n {2}npx bulkhead check \.\n/);
  const { devDependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    devDependencies: Readonly<Record<string, string>>;
  };
  assert.equal(devDependencies, { bulkhead: "^1.2.3", typescript: TYPESCRIPT });
  const repo = JSON.parse(await readFile(join(REPO, "package.json"), "utf8")) as {
    devDependencies: { typescript: string };
  };
  assert.is(TYPESCRIPT, repo.devDependencies.typescript);
});

test.run();
