/** `bulkhead cluster`: for people and as JSON; wrong use; a plugin's words forge no line. */
import { controlled } from "../../control/controlled.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { plugin } from "../../kit/plugins.js";
import { cli, type Ran } from "../cli.js";

const test = suite("cli/control/cluster");
const MANIFEST = JSON.stringify({
  ...{ name: "overlay", main: "index.js", scope: "global" },
  permissions: { log: true, cluster: true },
});
const POLICY = {
  sandbox: "node",
  plugins: { overlay: { grant: { scope: "global", log: true, cluster: { keys: 8 } } } },
} as const;

async function place(t: TestContext) {
  const start = `await powers.cluster.watch("n/", () => {});
    await powers.cluster.lease("host-1", { at: "\\u001b[2Jred\\nforged" });`;
  const { host, home } = await controlled(
    t,
    {
      "overlay/plugin.json": MANIFEST,
      "overlay/index.js": plugin("overlay", { start, capability: '{ scope: "global" }' }),
      "net.js": plugin("net"),
    },
    { policy: POLICY, backend: "model" },
  );
  return {
    host,
    async run(...args: string[]): Promise<Ran> {
      const ran = await cli(["cluster", ...args, "--data-dir", home.path("data")]);
      assert.not(/[^\P{C}\n]/u.test(ran.out + ran.err), JSON.stringify(ran));
      return ran;
    },
  };
}

test("status", async (t) => {
  const { run } = await place(t);
  const [store = "", head = "", row = ""] = (await run("status")).out.split("\n");
  assert.is(store, "store: memory, keys below bulkhead/: answers");
  assert.match(head, /^PLUGIN +KEYS +BYTES +WATCHES +LEASES +LAST PROOF +PROBLEM$/);
  assert.match(row, /^overlay +0 of 8 +0 of 1048576 +1 of 4 +1 +\d+\.\d s ago +-$/);
  const { store: kind, plugins } = JSON.parse((await run("status", "--json")).out) as {
    store: { kind: string };
    plugins: unknown[];
  };
  assert.equal([kind.kind, plugins.length], ["memory", 1]);
});

test("hosts, fence and its end", async (t) => {
  const { run } = await place(t);
  const [head = "", row = ""] = (await run("hosts")).out.split("\n");
  assert.match(head, /^PLUGIN +HOST +HOLDER +STATE +REASON +SAYS$/);
  assert.match(row, /^overlay +host-1 +[0-9a-f-]+ +alive \(this host\) +- +\{"at":"\\u001b\[2Jred\\nforged"\}$/);
  const refused = await run("fence", "host-1");
  assert.is(refused.exit, 1);
  assert.match(refused.err, /^error ERR_CLUSTER_FENCE: host "host-1" holds a lease of plugin "overlay".*--force/);
  assert.is((await run("fence", "host-2", "--reason", "burnt down")).out, "overlay: host-2 is fenced\n");
  assert.match((await run("fence", "host-2")).out, /^overlay: host-2 was fenced already, since \d{4}-/);
  assert.match((await run("hosts")).out, /\noverlay +host-2 +- +fenced since \d\S+ +burnt down +-\n$/);
  const forced = JSON.parse((await run("fence", "host-1", "--force", "--json")).out) as Record<string, unknown>;
  assert.equal([forced.host, forced.plugin, forced.changed], ["host-1", "overlay", true]);
  assert.is((await run("fence", "host-2", "--undo")).out, "overlay: host-2 is not fenced any more\n");
  assert.is((await run("fence", "host-2", "--undo", "--plugin", "overlay")).out, "overlay: host-2 was not fenced\n");
});

test("networks: those whose driver has the scope global", async (t) => {
  const { run, host } = await place(t);
  assert.is((await run("networks")).out, "the host has no networks of scope global\n");
  await host.driver("net").createNetwork("local-one");
  await host.driver("overlay").createNetwork("wide-one");
  const { out } = await run("networks");
  assert.match(out, /\nwide-one +overlay +overlay +live /);
  assert.not.match(out, "local-one");
  const json = JSON.parse((await run("networks", "--json")).out) as { id: string; scope: string };
  assert.equal([json.id, json.scope], ["wide-one", "global"]);
});

test("wrong use", async (t) => {
  const { run } = await place(t);
  for (const [args, words] of [
    [["members"], /status, hosts, networks, fence, not "members"/],
    [["fence"], /name a host/],
    [["hosts", "host-1"], /only cluster fence takes a host/],
    [["status", "--force"], /only cluster fence takes/],
  ] as const) {
    const { exit, out, err } = await run(...args);
    assert.equal([exit, out], [2, ""]);
    assert.match(err, words);
  }
  const both = await run("fence", "host-1", "--undo", "--force");
  assert.match(both.err, /undo takes neither a reason nor force/);
});

test.run();
