/** `ls` tells what each plugin asks for, gets, and whether it would run, without running any of it. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite, type TestContext } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { CODE, cli, fill } from "./cli.js";

const test = suite("cli/ls");

/** Ends the process that runs it. */
const DEADLY = "globalThis.process?.exit(99);\nexport function init() { globalThis.process?.exit(99); }\n";

interface Row {
  id: string;
  version: string | null;
  networkTypes: string[];
  asks: { scope: string; permissions: Record<string, unknown> } | null;
  granted: { scope: string; permissions: Record<string, unknown> } | null;
  isolation: string | null;
  state: string;
  code: string | null;
  reason: string | null;
}

async function place(t: TestContext): Promise<{ root: string; args: string[] }> {
  const root = await t.folder();
  await fill(root, {
    "plugins/bare.js": DEADLY,
    "plugins/asks/index.js": CODE,
    "plugins/asks/plugin.json":
      '{"version": "2.0", "scope": "global", "isolation": "dedicated", "networkTypes": ["x", "y"], "permissions": {"store": {"bytes": 10}}}',
    "plugins/Wrong.js": CODE,
    "policy.json": "{}",
  });
  return { root, args: ["--plugins", join(root, "plugins"), "--policy", join(root, "policy.json")] };
}

async function rows(args: readonly string[]): Promise<Record<string, Row>> {
  const ran = await cli(["ls", "--json", ...args]);
  assert.is(ran.exit, 0, ran.out);
  return Object.fromEntries((ran.json().plugins as Row[]).map((row) => [row.id, row]));
}

test("states, with reasons; the awaiting one prints the line that grants it, and that line does", async (t) => {
  const { root, args } = await place(t);
  const { bare, asks, Wrong } = await rows(args);
  assert.equal([bare?.state, bare?.code, bare?.networkTypes, bare?.version], ["ready", null, ["bare"], null]);
  assert.equal(Object.keys(bare?.granted?.permissions ?? {}), ["log", "timers", "clock", "random", "store"]);
  assert.equal([Wrong?.state, Wrong?.code, Wrong?.asks], ["refused", "ERR_PLUGIN_NAME", null]);
  assert.equal(
    [asks?.state, asks?.code, asks?.version, asks?.isolation],
    ["awaiting-grant", "ERR_GRANT_MISSING", "2.0", "dedicated"],
  );
  assert.equal(asks?.networkTypes, ["x", "y"]);
  assert.equal(asks?.asks, { scope: "global", permissions: { store: { bytes: 10 } } });
  assert.equal(asks?.granted, { scope: "local", permissions: { store: { bytes: 10, keys: 256 } } });
  const line = `bulkhead grant asks --policy ${join(root, "policy.json")} --plugins ${join(root, "plugins")}`;
  assert.ok(asks?.reason?.endsWith(line), asks?.reason ?? "");

  assert.is((await cli(line.split(" ").slice(1))).exit, 0);
  assert.is((await rows(args)).asks?.state, "ready");
});

test("a limit that is lower than asked is shown with both numbers", async (t) => {
  const { root, args } = await place(t);
  const policy = { plugins: { asks: { grant: { scope: "global", store: { bytes: 4 } } } } };
  await writeFile(join(root, "policy.json"), JSON.stringify(policy));
  assert.is((await rows(args)).asks?.state, "ready");
  const { out } = await cli(["ls", ...args]);
  assert.match(out, /^asks .*global: store \(bytes 4 of 10\) +ready$/m);
  assert.match(out, /^bare .*local: log, timers, clock, random, store +ready$/m);
});

test("a plugin whose bytes changed since it was granted waits, manifest and code alike, and what it asks for now is said", async (t) => {
  const { root, args } = await place(t);
  await cli(["grant", "asks", ...args]);
  await writeFile(join(root, "plugins/asks/index.js"), `${CODE}// more\nexport const more = 1;\n`);
  const changed = (await rows(args)).asks;
  assert.equal([changed?.state, changed?.code], ["awaiting-grant", "ERR_PLUGIN_CHANGED"]);
  assert.match(
    changed?.reason ?? "",
    /; compared with its grant, it does not ask for more; review the change, then run: bulkhead grant asks/,
  );
  await writeFile(join(root, "plugins/asks/index.js"), CODE);
  assert.is((await rows(args)).asks?.state, "ready");
  await writeFile(join(root, "plugins/asks/plugin.json"), '{"scope": "global"}');
  const asks = (await rows(args)).asks;
  assert.is(asks?.code, "ERR_PLUGIN_CHANGED");
  assert.match(
    asks?.reason ?? "",
    /; compared with its grant: \+type "asks", -type "x", -type "y"; review the change, then run: /,
  );
});

test("same-grant: a change that does not ask for more is ready, one that asks for more waits", async (t) => {
  const { root, args } = await place(t);
  await cli(["grant", "bare", ...args]);
  const policy = JSON.parse(await readFile(join(root, "policy.json"), "utf8"));
  policy.plugins.bare.update = "same-grant";
  await writeFile(join(root, "policy.json"), JSON.stringify(policy));
  await writeFile(join(root, "plugins/bare.js"), `${DEADLY}// another`);
  assert.is((await rows(args)).bare?.state, "ready");
  await writeFile(join(root, "plugins/bare.plugin.json"), '{"scope": "global"}');
  const { bare } = await rows(args);
  assert.equal([bare?.state, bare?.code], ["awaiting-grant", "ERR_PLUGIN_CHANGED"]);
  assert.match(bare?.reason ?? "", 'scope "local" → "global"; "update": "same-grant" does not cover that');
});

test("the table has a line for each, and says which names in the policy are no plugin's", async (t) => {
  const { root, args } = await place(t);
  await writeFile(join(root, "policy.json"), '{"plugins": {"brae": {}}}');
  const { out, exit } = await cli(["ls", ...args]);
  assert.is(exit, 0);
  for (const line of [
    /^ID +VERSION +TYPES/m,
    /^bare +- +bare .* ready$/m,
    /^asks +2\.0 +x, y +dedicated +global: store \{"bytes":10\} .* awaiting-grant$/m,
  ]) {
    assert.match(out, line);
  }
  assert.match(out, "Wrong: refused: ERR_PLUGIN_NAME");
  assert.match(out, /brae: in .*policy\.json, but no plugin has that id/);
});

test("a weakened wall is said, in JSON too; one that cannot be raised, with what to install; no word where all is well", async (t) => {
  const { root, args } = await place(t);
  const look = async (policy: object): Promise<{ out: string; wall: Record<string, unknown> | null }> => {
    await writeFile(join(root, "policy.json"), JSON.stringify(policy));
    const { json } = await cli(["ls", "--json", ...args]);
    return { out: (await cli(["ls", ...args])).out, wall: json().wall as Record<string, unknown> | null };
  };
  for (const [sandbox, words] of [
    ["node", /^the wall is weakened: .*permission flags alone: the policy does not ask for more$/m],
    ["none", /^the wall is weakened: .*without any wall: the policy does not ask for more$/m],
  ] as const) {
    const { out, wall } = await look({ sandbox });
    assert.match(out, words);
    assert.equal([wall?.sandbox, wall?.name, wall?.code], [sandbox, sandbox, null]);
    assert.match(String(wall?.weakened), words);
  }
  const threads = { sandbox: "none", defaults: { isolation: "thread" } };
  assert.is((await look(threads)).wall?.name, "none", "one of them asks for a process of its own");
  await rm(join(root, "plugins/asks"), { recursive: true });
  assert.is((await look(threads)).wall, null, "nobody lives behind a wall");

  const before = process.env.PATH;
  process.env.PATH = "/nowhere";
  t.cleanup(() => {
    process.env.PATH = before;
  });
  const down = await look({});
  assert.match(
    down.out,
    /^no plugin starts in a host process: ERR_ISOLATION_UNAVAILABLE: .*apt-get install bubblewrap/m,
  );
  assert.equal([down.wall?.name, down.wall?.code], [null, "ERR_ISOLATION_UNAVAILABLE"]);
  const auto = await look({ sandbox: "auto" });
  assert.match(auto.out, /^the wall is weakened: .*there is no "bwrap" on PATH/m);
  process.env.PATH = before;
  if (noBubblewrap === undefined) {
    const whole = await look({});
    assert.equal(whole.wall, { sandbox: "bubblewrap", name: "bubblewrap", weakened: null, code: null, reason: null });
    assert.not.match(whole.out, /wall|host process/);
  }
});

test("a policy that is named must exist; the default one need not", async (t) => {
  const root = await t.folder();
  await fill(root, { "a.js": CODE });
  const named = await cli(["ls", "--json", "--plugins", root, "--policy", join(root, "none.json")]);
  assert.equal([named.exit, named.json().error?.code], [1, "ERR_POLICY_INVALID"]);
  assert.is((await rows(["--plugins", root])).a?.state, "ready");
});

test("several plugins folders are one list", async (t) => {
  const [one, two] = [await t.folder(), await t.folder()];
  await fill(one, { "a.js": CODE, "b.js": CODE });
  await fill(two, { "b.js": CODE });
  const found = await rows(["--plugins", one, "--plugins", two]);
  assert.equal([found.a?.state, found.b?.code], ["ready", "ERR_PLUGIN_DUPLICATE"]);
});

test("a missing folder is an error; an empty one is not", async (t) => {
  const root = await t.folder();
  assert.is((await cli(["ls", "--plugins", join(root, "none")])).exit, 1);
  const empty = await cli(["ls", "--plugins", root]);
  assert.equal([empty.exit, empty.out], [0, `no plugins in ${root}\n`]);
});

test("a plugin that the policy stops is listed as stopped", async (t) => {
  const { root, args } = await place(t);
  await fill(root, { "plugins/a.js": CODE });
  await writeFile(join(root, "policy.json"), JSON.stringify({ plugins: { a: { enabled: false } } }));
  const { a } = await rows(args);
  assert.equal([a?.state, a?.reason], ["stopped", 'the policy stops it ("enabled": false)']);
  assert.match((await cli(["ls", ...args])).out, /^a: stopped: the policy stops it \("enabled": false\)$/m);
});

test("the example of a grant names a prefix that no other plugin has", async (t) => {
  const { root, args } = await place(t);
  await fill(root, {
    "plugins/links/index.js": CODE,
    "plugins/links/plugin.json": '{"permissions": {"netlink": {"kinds": ["veth"]}}}',
  });
  const netlink = { kinds: ["veth"], prefix: "b", subnets: ["10.64.0.0/10"] };
  await writeFile(join(root, "policy.json"), JSON.stringify({ plugins: { other: { grant: { netlink } } } }));
  assert.match((await cli(["grant", "links", ...args])).err, /--set netlink\.prefix=n1/);
});

test("a limit that neither side names: grant refuses with a line that works, and ls says the same", async (t) => {
  const { root, args } = await place(t);
  await fill(root, {
    "plugins/links/index.js": CODE,
    "plugins/links/plugin.json": '{"permissions": {"netlink": {"kinds": ["veth"]}}}',
  });
  const refused = await cli(["grant", "links", ...args]);
  assert.is(refused.exit, 1);
  assert.match(refused.err, /not granted anything yet: .*write it at plugins\.links\.grant\.netlink\.prefix/);
  const line = /for example: bulkhead (grant .*)$/m.exec(refused.err)?.[1]?.split(" ") ?? [];
  assert.equal(line.slice(0, 2), ["grant", "links"]);
  assert.ok(line.includes("netlink.prefix=bh"), line.join(" "));
  // As it is printed, it works.
  assert.is((await cli(line)).exit, 0);
  assert.is((await rows(args)).links?.state, "ready");
  const revoked = await cli(["revoke", "links", ...args.slice(2)]);
  assert.is(revoked.exit, 0, revoked.err);
  assert.match((await rows(args)).links?.reason ?? "", /bulkhead grant links/);
  // The operator's bounds were kept aside: granting again needs no more than the id.
  assert.is((await cli(["grant", "links", ...args])).exit, 0);
  assert.is((await rows(args)).links?.state, "ready");
  for (const wrong of ["netlink.prefix=BH", "netlink.colour=red", "nonsense", "store.bytes=1"])
    assert.is((await cli(["grant", "links", "--set", wrong, ...args])).exit, 2, wrong);
});

test.run();
