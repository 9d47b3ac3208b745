/** The state that hosts share through the control socket: what is shown, what is never shown, fences and their audit lines, metrics. */
import { readFileSync } from "node:fs";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { told } from "../kit/host.js";
import { plugin, telling } from "../kit/plugins.js";
import { noEtcd, startEtcd } from "../permissions/cluster/etcd.js";
import { type Controlled, controlled, raw } from "./controlled.js";

const test = suite("control/cluster");
const MANIFEST = JSON.stringify({
  ...{ name: "overlay", main: "index.js", scope: "global" },
  permissions: { log: true, cluster: true },
});
const POLICY = {
  sandbox: "node",
  plugins: { overlay: { grant: { scope: "global", log: true, cluster: { keys: 8, bytes: 1_000, watches: 2 } } } },
} as const;
const DRIVER = plugin("overlay", {
  start: `await powers.cluster.watch("n/", () => {});
    await powers.cluster.lease("host-1", { at: "10.0.0.1" });
    await powers.cluster.create("n/1", "\\u001b[2Jred");`,
  capability: '{ scope: "global" }',
});

function open(t: TestContext, cluster: object = { store: "local" }, text: string = DRIVER): Promise<Controlled> {
  const files = { "overlay/plugin.json": MANIFEST, "overlay/index.js": text, "net.js": plugin("net") };
  return controlled(t, files, { policy: POLICY, backend: "model", cluster: cluster as never });
}

test("status: the store, and what each plugin uses of its grant", async (t) => {
  const { client } = await open(t);
  const { store, plugins } = await client.ask("cluster");
  assert.equal(
    { ...store, requests: store.requests > 0 },
    {
      ...{ kind: "local", endpoints: [], prefix: "bulkhead", answers: true, failingSince: null, problem: null },
      ...{ requests: true, failures: 0 },
    },
  );
  const [one] = plugins;
  assert.is(plugins.length, 1);
  assert.equal([one?.plugin, one?.keys, one?.problem], ["overlay", { used: 1, granted: 8 }, null]);
  assert.is(one?.bytes.granted, 1_000);
  assert.equal(
    one?.watches.map(({ prefix, stale }) => [prefix, stale]),
    [["n/", false]],
  );
  assert.match(one?.leases.join() ?? "", /^alive\/host-1\/[0-9a-f-]+$/);
  assert.equal(one?.requests, { ok: 3 });
});

test(
  "status: etcd's endpoints and no credentials; since when it does not answer",
  async (t) => {
    const etcd = await startEtcd(t);
    const options = { store: "etcd", endpoints: [etcd.url], prefix: "mine", user: "root", password: "hidden-word" };
    // An etcd without accounts refuses a login: the store answers, and no request succeeds.
    const closed = await open(t, options, telling("overlay", "1"));
    const refused = await closed.client.ask("cluster");
    assert.equal([refused.store.kind, refused.store.endpoints, refused.store.prefix], ["etcd", [etcd.url], "mine"]);
    assert.equal([refused.store.answers, typeof refused.plugins[0]?.problem], [false, "string"]);
    assert.not.match(JSON.stringify(refused), /hidden-word|"root"/);

    const { client, host } = await open(t, { store: "etcd", endpoints: [etcd.url] }, telling("overlay", "1"));
    const before = await client.ask("cluster");
    assert.equal([before.store.answers, before.plugins[0]?.keys.used], [true, 0]);
    await etcd.kill("SIGKILL");
    const began = Date.now();
    const after = await client.ask("cluster");
    assert.equal([after.store.answers, after.plugins[0]?.keys.used], [false, null]);
    const since = Date.parse(after.store.failingSince ?? "");
    assert.ok(since >= began && since <= Date.now());
    assert.match(after.plugins[0]?.problem ?? "", /\S/);
    assert.is((await client.ask("cluster")).store.failingSince, after.store.failingSince);
    assert.is((await rejection(client.ask("clusterHosts"))).code, "ERR_CLUSTER_FAILED");
    const metrics = await host.metrics();
    assert.match(metrics, "\nbulkhead_cluster_store_up 0\n");
    await etcd.start();
    assert.equal((await client.ask("cluster")).store.failingSince, null);
  },
  { needs: noEtcd, ms: 60_000 },
);

test("fence: refused while the host is alive, audited, for all plugins that share state, and undone", async (t) => {
  const { client, home, socket } = await open(t);
  const { hosts } = await client.ask("clusterHosts");
  assert.equal(
    hosts.map(({ plugin, host, here, value, fence }) => [plugin, host, here, value, fence]),
    [["overlay", "host-1", true, { at: "10.0.0.1" }, null]],
  );
  const alive = await rejection(client.ask("fence", { id: "host-1", body: {} }));
  assert.is(alive.code, "ERR_CLUSTER_FENCE");
  const forced = await client.ask("fence", { id: "host-1", body: { force: true, reason: "cut off\nforged" } });
  assert.equal(
    forced.plugins.map(({ plugin, changed, fence }) => [plugin, changed, fence?.reason]),
    [["overlay", true, "cut off\nforged"]],
  );
  assert.is((await client.ask("fence", { id: "host-2", body: { plugin: "overlay" } })).plugins[0]?.changed, true);
  assert.equal((await client.ask("clusterHosts")).hosts.map(({ host, fence }) => [host, fence !== null]).sort(), [
    ["host-1", true],
    ["host-2", true],
  ]);
  await client.ask("fence", { id: "host-1", body: { undo: true } });
  const text = (): string => readFileSync(home.path("data/audit.jsonl"), "utf8");
  await until(() => text().includes("unfence host-1"), "the audit lines");
  const lines = text()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; plugin?: string; detail?: string })
    .filter(({ detail }) => /^(un)?fence /.test(detail ?? ""));
  const how = lines.map(({ event, plugin, detail = "" }) => [
    event,
    plugin,
    detail.replace(/ by uid \S+ through [^:]+/, ""),
  ]);
  assert.equal(
    how.slice(0, 2).map(([, , detail]) => detail),
    ["begun", "done"].map((word) => `fence host-1: ${word}; although it may be alive; reason: cut off\\nforged`),
  );
  assert.ok(how.every(([event, plugin]) => event === "operator" && plugin === "overlay"));
  for (const [body, field] of [
    [{ force: 1 }, "body.force"],
    [{ undo: true, force: true }, "body"],
    [{ reason: "x".repeat(300) }, "body.reason"],
    [{ host: "x" }, "body.host"],
  ] as const) {
    const reply = await raw(socket, "POST", "/v1/cluster/hosts/host-3/fence", JSON.stringify(body));
    assert.equal([reply.status, reply.body.code, reply.body.field], [400, "ERR_CONTROL_REQUEST", field]);
  }
  for (const name of ["a/b", "..", "a b", "x".repeat(65)]) {
    const reply = await raw(socket, "POST", `/v1/cluster/hosts/${encodeURIComponent(name)}/fence`, "{}");
    assert.ok(reply.status === 400 || reply.status === 404, `${name}: ${reply.status}`);
  }
  for (const [id, code] of [
    ["net", "ERR_CLUSTER_FENCE"],
    ["none", "ERR_PLUGIN_NOT_FOUND"],
  ] as const)
    assert.is((await rejection(client.ask("fence", { id: "host-3", body: { plugin: id } }))).code, code);
});

test("metrics count requests by outcome, and over the loads of a plugin", async (t) => {
  const { host, client } = await open(
    t,
    { store: "memory" },
    telling("overlay", 'await powers.cluster.create("fenced/x", 1).catch((error) => error.code)'),
  );
  assert.is(await told(host, "overlay"), "ERR_CLUSTER_REFUSED");
  await client.ask("reload", { id: "overlay" });
  assert.is(await told(host, "overlay"), "ERR_CLUSTER_REFUSED");
  const metrics = await host.metrics();
  assert.match(metrics, 'bulkhead_cluster_requests_total{plugin="overlay",code="ERR_CLUSTER_REFUSED"} 2');
  assert.match(metrics, 'bulkhead_cluster_watches{plugin="overlay"} 0');
  assert.match(metrics, 'bulkhead_cluster_stale_total{plugin="overlay"} 0');
});

test.run();
