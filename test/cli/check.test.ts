/** `check` runs one plugin's init alone, with all it asks for, tells what came of it, and leaves nothing behind. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { readdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CheckHost, MakeHost } from "#dist/cli/check.js";
import { DriverError } from "#dist/driverapi/errors.js";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { plugin } from "../kit/plugins.js";
import { CODE, cli, fill, withoutPrograms } from "./cli.js";

const test = suite("cli/check");

/** Temporary files of this test alone: others run `check` at the same time. */
const temporary = mkdtempSync(join(tmpdir(), "bulkhead-cli-"));
chmodSync(temporary, 0o755);
process.env.TMPDIR = temporary;
process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));

type Seen = ReturnType<CheckHost["plugins"]>[number];
interface Fake {
  readonly makeHost: MakeHost;
  readonly calls: { plugins: string; policy: unknown; files: string[] }[];
  closed: number;
}

/** A host that says what the test wants. */
function fake(seen: (folder: string) => Seen): Fake {
  const it: Fake = {
    calls: [],
    closed: 0,
    makeHost: async ({ plugins, policy, callback }) => {
      for (const type of seen(plugins).drivers) callback.registerDriver(type, {} as never, { scope: "global" });
      it.calls.push({ plugins, policy, files: (await readdir(plugins)).sort() });
      return {
        plugins: () => [seen(plugins)],
        close: async () => {
          it.closed++;
        },
      };
    },
  };
  return it;
}

const running = (name: string): Fake => fake(() => ({ name, state: "running", drivers: [name] }));

async function leftovers(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("bulkhead-check-")).sort();
}

test("a file: alone with its manifest, all it asks for granted, drivers told", async (t) => {
  const before = await leftovers();
  const root = await t.folder();
  await fill(root, {
    "one.js": CODE,
    "one.plugin.json":
      '{"version": "3", "scope": "global", "permissions": {"store": {"bytes": 99999999}}, "limits": {"memoryMb": 64}, "timeouts": {"init": 9000}}',
    "one.ts": CODE,
    "two.js": CODE,
  });
  const host = running("one");
  const ran = await cli(["check", join(root, "one.js"), "--json"], host.makeHost);
  assert.is(ran.exit, 0, ran.out);
  const [call] = host.calls;
  assert.equal(call?.files, ["one.js", "one.plugin.json"]);
  assert.equal(call?.policy, {
    plugins: {
      one: {
        grant: { scope: "global", store: { bytes: 99999999 } },
        limits: { memoryMb: 64 },
        timeouts: { init: 9000 },
      },
    },
  });
  const { ok, plugin, version, asks, drivers, files, networkTypes } = ran.json();
  assert.equal([ok, plugin, version, files, networkTypes], [true, "one", "3", 1, ["one"]]);
  assert.equal(asks, { scope: "global", permissions: { store: { bytes: 99999999 } } });
  assert.equal(drivers, [{ type: "one", scope: "global" }]);
  assert.is(host.closed, 1);
  assert.not.ok(existsSync(call?.plugins ?? ""));
  assert.equal(await leftovers(), before);
  assert.match(
    (await cli(["check", join(root, "one.js")], running("one").makeHost)).out,
    /one 3: 1 file.*\n.*global; store[\s\S]*registered +one \(global\)/,
  );
});

test("a folder, with the links inside it", async (t) => {
  const root = await t.folder();
  await fill(root, {
    "box/plugin.json": "{}",
    "box/index.js": 'import "./lib/a.js";\nexport function init() {}\n',
    "box/real/a.js": "export {};\n",
  });
  await symlink(join(root, "box/real"), join(root, "box/lib"));
  const ran = await cli(["check", join(root, "box"), "--json"], running("box").makeHost);
  assert.is(ran.exit, 0, ran.out);
  assert.is(ran.json().files, 2);
});

test(
  "what is wrong with the files is told with the author's own paths",
  async (t) => {
    const before = await leftovers();
    const root = await t.folder();
    await fill(root, {
      "bad/plugin.json": '{\n"scop": 1}',
      "syntax.js": "\nexport const = 1;\n",
      "none/x.js": CODE,
      "x.txt": "",
      "Up.js": CODE,
      "out/plugin.json": "{}",
      "secret.js": "export {};\n",
      "kinds.js": CODE,
      "kinds.plugin.json": '{ "permissions": { "netlink": { "kinds": [] } } }',
    });
    await writeFile(join(root, "out/index.js"), 'import "./link.js";\nexport function init() {}\n');
    await symlink(join(root, "secret.js"), join(root, "out/link.js"));
    await symlink(join(root, "syntax.js"), join(root, "link.js"));
    const host = running("x");
    for (const [path, code, words] of [
      ["bad", "ERR_MANIFEST_INVALID", join(root, "bad/plugin.json:2:1: scop")],
      ["syntax.js", "ERR_PLUGIN_SYNTAX", "syntax.js"],
      ["none", "ERR_MANIFEST_MISSING", join(root, "none/plugin.json")],
      ["x.txt", "ERR_PLUGIN_FILE", "this is not a plugin"],
      ["nowhere", "ERR_PLUGIN_FILE", "file or folder not found"],
      ["Up.js", "ERR_PLUGIN_NAME", join(root, "Up.js")],
      ["link.js", "ERR_PLUGIN_FILE", "symbolic link"],
      ["out", "ERR_PLUGIN_IMPORT", "link.js"],
      [
        "kinds.js",
        "ERR_GRANT_MISSING",
        "asks for nothing that can be granted at netlink.kinds; name at least one item there",
      ],
    ] as const) {
      const ran = await cli(["check", join(root, path), "--json"], host.makeHost);
      assert.is(ran.exit, 1, path);
      assert.is(ran.json().error?.code, code, path);
      assert.match(ran.json().error?.message ?? "", words);
      assert.not.match(ran.out, "bulkhead-check-");
    }
    const syntax = (await cli(["check", join(root, "syntax.js"), "--json"], host.makeHost)).json().error;
    assert.equal([syntax?.file, syntax?.line], ["syntax.js", 2]);
    assert.equal(host.calls, [], "no code is run");
    assert.equal(await leftovers(), before);
  },
  { ms: 60_000 },
);

test("a refusal of init is exit 1, with what was found before it", async (t) => {
  const root = await t.folder();
  await fill(root, { "one.js": CODE });
  const refusing = fake((folder) => ({
    name: "one",
    state: "refused",
    drivers: [],
    refusal: new DriverError("ERR_PLUGIN_INIT", `init threw at ${folder}/one.js:4: boo`, {
      plugin: "one",
      file: "one.js",
      line: 4,
    }),
  }));
  const ran = await cli(["check", join(root, "one.js"), "--json"], refusing.makeHost);
  assert.equal([ran.exit, ran.json().ok, ran.json().plugin], [1, false, "one"]);
  assert.is(ran.json().error?.message, `init threw at ${root}/one.js:4: boo`);
  assert.equal([ran.json().error?.code, ran.json().error?.line], ["ERR_PLUGIN_INIT", 4]);
  assert.is(refusing.closed, 1);
  const plain = await cli(["check", join(root, "one.js")], refusing.makeHost);
  assert.match(plain.out, "asks for");
  assert.match(plain.err, "error ERR_PLUGIN_INIT: init threw");

  const odd = fake(() => ({
    name: "one",
    state: "unavailable",
    drivers: [],
    refusal: { code: "ERR_PLUGIN_CRASHED", message: "gone" },
  }));
  assert.is(
    (await cli(["check", join(root, "one.js"), "--json"], odd.makeHost)).json().error?.code,
    "ERR_PLUGIN_CRASHED",
  );
});

test("nothing is left when the host cannot be made", async (t) => {
  const before = await leftovers();
  const root = await t.folder();
  await fill(root, { "one.js": CODE });
  const ran = await cli(["check", join(root, "one.js"), "--json"], () =>
    Promise.reject(new DriverError("ERR_ISOLATION_UNAVAILABLE", "no wall")),
  );
  assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_ISOLATION_UNAVAILABLE"]);
  assert.equal(await leftovers(), before);
});

const HELLO = plugin("one");
const index = fileURLToPath(new URL("../../../dist/index.js", import.meta.url));

test(
  "with the host that ships: drivers registered, or the refusal with its line",
  async (t) => {
    const before = await leftovers();
    const root = await t.folder();
    await fill(root, { "one.js": HELLO, "two.js": 'export function init() {\n  throw new Error("boo");\n}\n' });
    const one = await cli(["check", join(root, "one.js"), "--json"]);
    assert.is(one.exit, 0, one.out);
    assert.equal(one.json().drivers, [{ type: "one", scope: "local" }]);
    if (noBubblewrap === undefined) assert.equal(one.json().wall, { name: "bubblewrap", weakened: null });
    const two = await cli(["check", join(root, "two.js"), "--json"]);
    assert.equal([two.exit, two.json().error?.code], [1, "ERR_PLUGIN_INIT"]);
    assert.match(two.json().error?.message ?? "", /boo/);
    assert.equal(await leftovers(), before);
  },
  { needs: existsSync(index) ? false : "the host is not built" },
);

test(
  "what the plugin writes is shown, also when it is refused",
  async (t) => {
    const root = await t.folder();
    const talking = HELLO.replace("{\n", '{\n  console.log("starts"); console.warn("odd\\nline");\n');
    await fill(root, { "one.js": talking, "two.js": talking.replace("console.warn(", "throw new Error(") });
    const one = await cli(["check", join(root, "one.js")]);
    assert.match(one.out, /registered +one \(local\)\n +console +starts\n +console +warn: odd\\nline\n/);
    const json = (await cli(["check", join(root, "one.js"), "--json"])).json();
    assert.equal(json.console, [
      { level: "info", message: "starts" },
      { level: "warn", message: "odd\\nline" },
    ]);
    const two = await cli(["check", join(root, "two.js")]);
    assert.is(two.exit, 1);
    assert.match(two.out, /console +starts/);
  },
  { needs: existsSync(index) ? false : "the host is not built" },
);

test(
  "what stands around it is told, and what is missing of that",
  async (t) => {
    const root = await t.folder();
    await fill(root, { "one.js": HELLO });
    const [plain, json] = await withoutPrograms(await t.folder(), async () => [
      await cli(["check", join(root, "one.js")]),
      await cli(["check", join(root, "one.js"), "--json"]),
    ]);
    assert.match(plain.out, /ran behind +node\n +the wall is weakened: .*there is no "bwrap" on PATH/);
    const { name, weakened } = json.json().wall as { name: string; weakened: string };
    assert.is(name, "node");
    assert.match(weakened, /the wall is weakened: .*install it/);
  },
  { needs: existsSync(index) ? false : "the host is not built" },
);

test.run();
