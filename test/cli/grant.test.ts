/** `grant` writes what is asked and the digest; `revoke` takes both back; the rest of the policy stays as it was. */

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite, type TestContext } from "../harness.js";
import { CODE, cli, fill, type Ran } from "./cli.js";

const test = suite("cli/grant");

interface Place {
  readonly root: string;
  readonly policy: string;
  run(...args: string[]): Promise<Ran>;
  read(): Promise<Record<string, unknown>>;
}

async function place(t: TestContext, policy?: unknown): Promise<Place> {
  const root = await t.folder();
  await fill(root, {
    "plugins/bare.js": CODE,
    "plugins/asks/index.js": CODE,
    "plugins/asks/plugin.json": '{"scope": "global", "permissions": {"log": true, "store": {"bytes": 1000}}}',
    "plugins/broken.js": "export const = 1;\n",
    "plugins/wrong.js": CODE,
    "plugins/wrong.plugin.json": '{"scop": 1}',
  });
  const path = join(root, "policy.json");
  if (policy !== undefined) await writeFile(path, JSON.stringify(policy));
  return {
    root,
    policy: path,
    run: (...args) =>
      cli([...args, "--policy", path, ...(args[0] === "revoke" ? [] : ["--plugins", join(root, "plugins")])]),
    read: async () => JSON.parse(await readFile(path, "utf8")),
  };
}

test("it makes the policy, with scope, permissions as asked and the sha256", async (t) => {
  const { run, read } = await place(t);
  const ran = await run("grant", "asks", "--json");
  assert.is(ran.exit, 0, ran.out);
  const { ok, plugin, grant, sha256, dryRun } = ran.json();
  assert.equal([ok, plugin, dryRun], [true, "asks", false]);
  assert.equal(grant, { scope: "global", log: true, store: { bytes: 1000 } });
  assert.match(String(sha256), /^[0-9a-f]{64}$/);
  assert.equal(await read(), { plugins: { asks: { grant, sha256 } } });
  const plugins = (await run("ls", "--json")).json().plugins as { id: string; state: string }[];
  assert.is(plugins.find(({ id }) => id === "asks")?.state, "ready");
});

test("a bare file is granted the harmless set by name", async (t) => {
  const { run } = await place(t);
  const ran = await run("grant", "bare", "--json");
  assert.equal(ran.json().grant, { scope: "local", log: true, timers: true, clock: true, random: true, store: true });
});

test("--dry-run writes nothing and says the same", async (t) => {
  const { run, policy } = await place(t);
  const dry = await run("grant", "asks", "--dry-run", "--json");
  assert.is(dry.exit, 0);
  assert.not.ok(existsSync(policy));
  const wet = await run("grant", "asks", "--json");
  assert.equal({ ...dry.json(), dryRun: false }, wet.json());
  assert.match((await run("grant", "asks", "--dry-run")).out, "would grant asks");
  const again = (await run("grant", "asks")).out;
  assert.match(
    again,
    /granted asks.*\n {2}changes .*does not ask for more\n.*global\n.*log, store \{"bytes":1000\}\n.*sha256/,
  );
});

test("the rest of the policy keeps its order and its words; limits given before are not widened; what is not asked goes", async (t) => {
  const { run, policy } = await place(t, {
    plugins: {
      zebra: { limits: { drivers: 1 } },
      asks: { isolation: "dedicated", sha256: "0".repeat(64), grant: { store: { bytes: 10 }, timers: true } },
    },
    defaults: {},
  });
  assert.is((await run("grant", "asks")).exit, 0);
  const text = await readFile(policy, "utf8");
  const raw = JSON.parse(text);
  assert.equal(Object.keys(raw), ["plugins", "defaults"]);
  assert.equal(Object.keys(raw.plugins), ["zebra", "asks"]);
  assert.equal(Object.keys(raw.plugins.asks), ["isolation", "sha256", "grant"]);
  assert.equal(raw.plugins.asks.grant, { scope: "global", log: true, store: { bytes: 10 } });
  assert.not.match(text, "0".repeat(64));
});

test("what it asks for now is compared with its grant so far; the first time there is nothing to compare with", async (t) => {
  const { run, root } = await place(t);
  assert.is((await run("grant", "asks", "--json")).json().compared, null);
  await fill(root, {
    "plugins/asks/plugin.json":
      '{"networkTypes": ["asks", "b"], "permissions": {"timers": true, "store": {"bytes": 2000}}}',
  });
  const text =
    'compared with its grant: scope "global" → "local", +type "b", +timers {"minimumMs":1,"count":256}, store.bytes 1000 → 2000, -log';
  const dry = await run("grant", "asks", "--dry-run");
  assert.ok(dry.out.includes(`would grant asks, in `) && dry.out.includes(`\n  changes      ${text}\n`), dry.out);
  const wet = await run("grant", "asks", "--json");
  assert.is(wet.json().compared, text);
  // The limit that the policy named stays.
  assert.equal(wet.json().grant, { scope: "local", timers: true, store: { bytes: 1000 } });
});

test("network types that are not its id alone are written, and follow the manifest; revoke takes them back", async (t) => {
  const { run, read, root } = await place(t);
  await fill(root, { "plugins/asks/plugin.json": '{"networkTypes": ["x", "y"]}' });
  const entry = async (): Promise<unknown> =>
    ((await read()).plugins as { asks: { networkTypes?: unknown } }).asks.networkTypes;
  assert.match((await run("grant", "asks")).out, /\n {2}types {8}x, y\n/);
  assert.equal(await entry(), ["x", "y"]);
  await fill(root, { "plugins/asks/plugin.json": "{}" });
  assert.is((await run("grant", "asks")).exit, 0);
  assert.equal(await entry(), ["asks"]);
  assert.is((await run("revoke", "asks")).exit, 0);
  assert.equal(await read(), { plugins: {} });
});

test("two grants at the same time are both written", async (t) => {
  const { run, read } = await place(t);
  const ran = await Promise.all(["asks", "bare"].map((id) => run("grant", id)));
  assert.equal(
    ran.map(({ exit }) => exit),
    [0, 0],
  );
  assert.equal(Object.keys((await read()).plugins as object).sort(), ["asks", "bare"]);
});

test("a plugin that is not there, is refused, or does not bundle is not granted, and nothing is written", async (t) => {
  const { run, policy } = await place(t);
  for (const [id, code, words] of [
    ["bear", "ERR_PLUGIN_NOT_FOUND", 'did you mean "bare"?'],
    ["wrong", "ERR_MANIFEST_INVALID", "scop: unknown key"],
    ["broken", "ERR_PLUGIN_SYNTAX", "broken.js"],
  ] as const) {
    const ran = await run("grant", id, "--json");
    assert.is(ran.exit, 1);
    assert.is(ran.json().error?.code, code);
    assert.match(ran.json().error?.message ?? "", words);
    assert.match((await run("grant", id)).err, `error ${code}: `);
  }
  assert.not.ok(existsSync(policy));
});

test("a broken policy is not written over", async (t) => {
  const { run, policy } = await place(t);
  await writeFile(policy, '{"plugins": {},}');
  for (const args of [["grant", "asks"], ["revoke", "asks"], ["ls"]]) {
    const ran = await run(...args, "--json");
    assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_POLICY_INVALID"]);
  }
  assert.is(await readFile(policy, "utf8"), '{"plugins": {},}');
});

test("revoke takes grant and sha256; an entry left empty goes, other settings stay in place", async (t) => {
  const { run, read } = await place(t, {
    plugins: {
      one: { grant: { log: true }, sha256: "0".repeat(64) },
      two: { limits: { drivers: 2 }, grant: {} },
      three: {},
    },
  });
  const one = await run("revoke", "one", "--json");
  assert.equal([one.exit, one.json().grant, one.json().kept], [0, { log: true }, false]);
  assert.equal(await read(), { plugins: { two: { limits: { drivers: 2 }, grant: {} }, three: {} } });
  const two = await run("revoke", "two");
  assert.is(two.exit, 0);
  assert.match(two.out, "other settings are kept");
  assert.equal(await read(), { plugins: { two: { limits: { drivers: 2 } }, three: {} } });
});

test("revoking what is not granted is a failure, so that a slip in the id does not look done", async (t) => {
  const { run } = await place(t, { plugins: { bridge: { grant: {} }, two: { limits: {} } } });
  for (const id of ["brigde", "two", "constructor"]) {
    const ran = await run("revoke", id, "--json");
    assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_PLUGIN_NOT_FOUND"], id);
  }
  assert.match((await run("revoke", "brigde")).err, 'did you mean "bridge"?');
  assert.is((await cli(["revoke", "x", "--policy", join(await t.folder(), "none.json")])).exit, 1);
});

test.run();
