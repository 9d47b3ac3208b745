/** `policy check` and `policy diff`: what is valid, what would change for each plugin, in words and as JSON, with and without a host. */
import { writeFile } from "node:fs/promises";
import { assert, suite, type TestContext } from "../harness.js";
import { house } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { cli, type Ran } from "./cli.js";

const test = suite("cli/policy");

const NETLINK = { kinds: ["bridge"], prefix: "nn", subnets: ["10.9.0.0/24"], max: 8 };
const ASKS = JSON.stringify({ permissions: { store: true, netlink: { kinds: ["bridge"] } } });
const BEFORE = { plugins: { net: { grant: { store: true, netlink: NETLINK } }, old: { grant: { log: true } } } };

async function place(t: TestContext, before: unknown = BEFORE) {
  const home = await house(t, { "net.js": plugin("net"), "net.plugin.json": ASKS, "other.js": plugin("other") });
  const file = home.path("before.json");
  await writeFile(file, JSON.stringify(before));
  const put = async (policy: unknown): Promise<string> => {
    const to = home.path("after.json");
    await writeFile(to, typeof policy === "string" ? policy : JSON.stringify(policy));
    return to;
  };
  const run = (...args: string[]): Promise<Ran> =>
    cli(["policy", ...args, "--policy", file, "--plugins", home.plugins, "--data-dir", home.path("data")]);
  return { home, file, put, run };
}

test("check: an invalid policy is named with its line and rule", async (t) => {
  const { run, put } = await place(t);
  const ran = await run("check", await put('{\n  "plugins": {\n    "net": { "enabeld": false }\n  }\n}'));
  assert.is(ran.exit, 1);
  assert.match(ran.err, /^error ERR_POLICY_INVALID: .*after\.json:3.*enabeld.*\n$/);
  assert.is((await run("check", "/nowhere/policy.json")).exit, 1);
});

test("check: check: a valid policy, and entries that match no plugin", async (t) => {
  const { run, put, home } = await place(t);
  const grant = { store: true, firewall: { ports: ["80"] } };
  const ran = await run("check", await put({ plugins: { net: { grant }, othre: {} } }), "--json");
  assert.is(ran.exit, 0, ran.out);
  const { plugins, notes } = ran.json() as unknown as Record<string, { id: string; state: string; field: string }[]>;
  assert.equal(
    plugins?.map(({ id, state }) => [id, state]),
    [
      ["net", "awaiting-grant"],
      ["other", "ready"],
    ],
  );
  assert.equal(
    notes?.map(({ field }) => field),
    ["plugins.othre", "plugins.net.grant.firewall"],
  );
  const words = await run("check", await put({ plugins: { othre: {} } }));
  assert.match(words.out, /after\.json is a valid policy with 1 entry\n/);
  assert.match(words.out, 'plugins.othre: no plugin has that id; did you mean "other"?');
  assert.match((await run("check")).out, "before.json is a valid policy with 2 entries");
  const alone = await cli(["policy", "check", await put({}), "--plugins", home.path("none")]);
  assert.is(alone.exit, 0);
  assert.match(alone.out, "only the policy itself was checked: ");
});

test("diff of two files: what each plugin could do more, less and no longer", async (t) => {
  const { run, put } = await place(t);
  const after = { plugins: { net: { grant: { netlink: { ...NETLINK, max: 4, kinds: ["bridge", "veth"] } } } } };
  const to = await put({ ...after, sandbox: "auto", defaults: { limits: { memoryMb: 24 } } });
  const ran = await run("diff", to, "--json");
  assert.is(ran.exit, 0, ran.out);
  const { plugins, sandbox, from } = ran.json() as unknown as {
    plugins: readonly Record<string, unknown>[];
    sandbox: unknown;
    from: string;
  };
  assert.match(from, /before\.json$/);
  assert.equal(sandbox, { before: "bubblewrap", after: "auto" });
  const [net, old, other] = plugins;
  assert.equal(
    [net?.plugin, net?.before, net?.after, net?.more, net?.gone],
    ["net", "ready", "ready", [], []],
    JSON.stringify(plugins),
  );
  assert.match(JSON.stringify(net?.less), "netlink.max 8 → 4");
  assert.equal([old?.plugin, old?.other, old?.reason], ["old", ["its entry is removed"], "no plugin has that id"]);
  assert.match(String(other?.less), /^limits\.memoryMb \d+ → 24$/);
  const words = await run("diff", await put({ plugins: {} }));
  assert.match(words.out, /after\.json, compared with .*before\.json:\n/);
  assert.match(words.out, /\nnet: ready → awaiting-grant\n.*\n {2}no longer {6}-netlink\n {2}then {11}.*netlink/s);
  const back = await run("diff", await put({ plugins: { net: { grant: { netlink: NETLINK }, enabled: false } } }));
  assert.match(back.out, "\n  other          enabled none → false\n");
  const same = await run("diff", await put(BEFORE));
  assert.match(same.out, "\nnothing would change\n");
});

test(
  "diff with the running host: its policy in force, not the file; without a host, exit 3",
  async (t) => {
    const { run, home, file, put } = await place(t);
    const none = await run("diff");
    assert.equal([none.exit, /^error ERR_NO_DAEMON: .*--policy OLD\n$/.test(none.err)], [3, true], none.err);
    const host = await home.open({ dataDir: home.path("data"), policy: file, backend: "model" });
    const { path: socket } = await host.control(home.path("data/control.sock"));
    assert.match((await run("diff")).out, "nothing would change");
    // The host does not follow the file by itself here, so an edit is not in force.
    await writeFile(file, JSON.stringify({ plugins: { net: { grant: { netlink: { ...NETLINK, max: 2 } } } } }));
    const ran = await run("diff");
    assert.match(ran.out, `compared with the policy in force in the running host (${socket}):\n`);
    assert.match(ran.out, "\n  allowed less   netlink.max 8 → 2\n");
    assert.is((await run("diff", await put(BEFORE))).out.includes("nothing would change"), true);
  },
  { ms: 60_000 },
);

test("a plugin's words forge no line; wrong use is named", async (t) => {
  const { run, home } = await place(t);
  await home.put({
    "e\u001b[2Jvil\nnet: ready.js": plugin("x"),
    "bad.js": plugin("b"),
    "bad.plugin.json": '{"x\\n\\u001b[1m": 1}',
  });
  for (const args of [["check"], ["diff", await (await place(t)).put({ plugins: {} })]]) {
    const ran = await run(...args);
    assert.is(ran.exit, 0, ran.err);
    assert.not(/[^\P{C}\n]/u.test(ran.out), JSON.stringify(ran.out));
    assert.not(ran.out.split("\n").includes("net: ready.js"));
  }
  const wrong = await run("chekc");
  assert.equal(
    [wrong.exit, wrong.err],
    [2, 'error ERR_USAGE: bulkhead policy takes check, diff or learn, not "chekc"\n'],
  );
});

test(
  "diff: what the files of a new version newly ask for and use",
  async (t) => {
    const { run, home, file } = await place(t);
    const grant = { grant: { netlink: NETLINK, firewall: { ports: ["80"] } } };
    await writeFile(file, JSON.stringify({ plugins: { net: grant } }));
    const host = await home.open({ dataDir: home.path("data"), policy: file, backend: "model" });
    await host.control(home.path("data/control.sock"));
    assert.match((await run("diff")).out, "nothing would change");
    const use = "export async function probe(powers) { return powers.firewall.rules(); }";
    const start = "await powers.firewall.rules();";
    await home.put({
      "net.js": plugin("net", { start, top: use }),
      "net.plugin.json": JSON.stringify({
        version: "2.0.0",
        permissions: { store: true, netlink: { kinds: ["bridge"] }, firewall: true },
      }),
    });
    const { plugins } = (await run("diff", "--json")).json() as unknown as {
      plugins: [{ newVersion: { sha256: string } }];
    };
    const { sha256, ...brings } = plugins[0].newVersion;
    assert.equal(brings, {
      version: "2.0.0",
      asks: ['+firewall {"max":1024,"ports":["80"]}'],
      uses: ["powers.firewall (net.js:3)"],
    });
    const { out } = await run("diff");
    assert.match(out, `new version    2.0.0, sha256 ${sha256}\n`);
    assert.match(out, "  newly asks     +firewall ");
    assert.match(out, "  newly uses     powers.firewall (net.js:3)\n");
  },
  { ms: 60_000 },
);

test.run();
