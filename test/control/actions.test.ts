/** What an operator does to a running plugin: restart, stop, start, reload, quarantine; what becomes of calls and networks; the audit. */
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, type PluginHost } from "#dist/index.js";
import { assert, rejection, suite, until } from "../harness.js";
import { hear, next, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { controlled } from "./controlled.js";

const test = suite("control/actions");

/** Tells a number of its own worker, and which networks it was given. */
const TELLING = plugin("net", {
  top: "const worker = Math.random(); const known = new Set();",
  methods: "createNetwork: (nid) => void known.add(nid), endpointOperInfo: () => ({ worker, known: [...known] }),",
});

/** What its driver says. */
async function asked(host: PluginHost): Promise<{ worker: number; known: string[] }> {
  const driver = host.driver("net");
  await driver.createEndpoint("n", "e", new EndpointConfig());
  const info = await driver.endpointOperInfo("n", "e");
  await driver.deleteEndpoint("n", "e");
  return info as never;
}

test("restart: another worker with the same networks; it is not counted as a crash", async (t) => {
  const { host, client } = await controlled(t, { "net.js": TELLING });
  await host.driver("net").createNetwork("n");
  const before = await asked(host);
  const restarted = next(host, "plugin:restarted");
  const details = await client.ask("restart", { id: "net" });
  assert.is((await restarted).reason, "an operator restarted it");
  assert.equal([details.state, details.restarts], ["running", 0]);
  const after = await asked(host);
  assert.is.not(after.worker, before.worker);
  assert.equal(after.known, ["n"]);
});

test("stop: calls are refused, edits and reloads do not start it; start brings its networks back", async (t) => {
  const { host, client, home } = await controlled(t, { "net.js": TELLING });
  const driver = host.driver("net");
  await driver.createNetwork("n");
  const stopped = await client.ask("stop", { id: "net" });
  assert.equal([stopped.state, stopped.reason?.code, stopped.pid], ["stopped", "ERR_PLUGIN_STOPPED", null]);
  const refused = await rejection(driver.createNetwork("m"));
  assert.is(refused.code, "ERR_PLUGIN_STOPPED");
  assert.match(refused.message, /an operator stopped it; to start it: bulkhead start net/);
  await writeFile(join(home.plugins, "net.js"), `${TELLING}// changed\n`);
  await host.refresh();
  assert.is((await rejection(client.ask("reload", { id: "net" }))).code, "ERR_PLUGIN_STOPPED");
  assert.is(row(host, "net").state, "stopped");
  await client.ask("stop", { id: "net" });
  const started = await client.ask("start", { id: "net" });
  assert.is(started.state, "running");
  assert.equal((await asked(host)).known, ["n"]);
  await client.ask("start", { id: "net" });
});

test("stop waits for calls in progress", async (t) => {
  const { host, client } = await controlled(t, {
    "net.js": plugin("net", { methods: "deleteNetwork: () => new Promise((resolve) => setTimeout(resolve, 100))," }),
    "net.plugin.json": '{ "networkTypes": ["net"], "permissions": { "timers": {} } }',
  });
  const driver = host.driver("net");
  await driver.createNetwork("n");
  const deleted = driver.deleteNetwork("n");
  await client.ask("stop", { id: "net" });
  await deleted;
});

test("quarantine: a hanging plugin ends at once, its calls are refused, its networks stay; start lifts it", async (t) => {
  const { host, client } = await controlled(t, {
    "net.js": plugin("net", { methods: "endpointOperInfo() { console.log('begun'); return new Promise(() => {}); }," }),
  });
  const driver = host.driver("net");
  await driver.createNetwork("n");
  await driver.createEndpoint("n", "e", new EndpointConfig());
  const begun = next(host, "plugin:log");
  const hanging = rejection(driver.endpointOperInfo("n", "e"));
  await begun;
  const details = await client.ask("quarantine", { id: "net" });
  assert.is(details.state, "quarantined");
  assert.is((await hanging).code, "ERR_OUTCOME_UNKNOWN");
  const refused = await rejection(driver.deleteNetwork("n"));
  assert.is(refused.code, "ERR_PLUGIN_QUARANTINED");
  assert.match(refused.message, /an operator quarantined it/);
  assert.equal(
    (await client.ask("networks")).networks.map(({ id }) => id),
    ["n"],
  );
  assert.is((await client.ask("stop", { id: "net" })).state, "quarantined");
  assert.is((await client.ask("restart", { id: "net" })).state, "running");
  await driver.deleteEndpoint("n", "e");
  await driver.deleteNetwork("n");
});

test("reload takes the new files; a version that does not load is an error, and the old one serves", async (t) => {
  const { host, client, home } = await controlled(t, { "net.js": TELLING });
  await home.put({ "net.js": "export async function init() { throw new Error('no\\nline\u001b[31m'); }\n" });
  const error = await rejection(client.ask("reload", { id: "net" }));
  assert.is(error.code, "ERR_PLUGIN_INIT");
  assert.not(/\p{Cc}/u.test(error.message));
  await host.driver("net").createNetwork("n");
  await home.put({ "net.js": TELLING });
  assert.is((await client.ask("reload", { id: "net" })).state, "running");
});

test("a quarantine during a reload holds, whatever the reload does", async (t) => {
  const slow = (n: number): string =>
    plugin("net", {
      top: `// ${n}`,
      start: "console.log('begun'); await new Promise((resolve) => setTimeout(resolve, 200));",
    });
  const { host, client, home } = await controlled(t, { "net.js": slow(1) });
  await home.put({ "net.js": slow(2) });
  const begun = next(host, "plugin:log");
  const reloaded = client.ask("reload", { id: "net" }).catch(() => undefined);
  await begun;
  const heard = hear(host);
  const details = await client.ask("quarantine", { id: "net" });
  await reloaded;
  assert.is(details.state, "quarantined");
  assert.is(row(host, "net").state, "quarantined");
  assert.not(heard.some(({ name }) => name === "plugin:loaded"));
  assert.is((await rejection(host.driver("net").createNetwork("n"))).code, "ERR_PLUGIN_QUARANTINED");
});

test("a plugin that has ended too often is started at once; one that cannot start says why", async (t) => {
  const crashing = plugin("net", {
    methods:
      'createNetwork(nid) { if (nid === "die") { Promise.reject(new Error("stray")); return new Promise(() => {}); } },',
  });
  const { host, client, home } = await controlled(t, { "net.js": crashing, "bad.js": "export const init = 7;\n" });
  const unavailable = next(host, "plugin:unavailable");
  const crash = async (): Promise<void> => {
    while (row(host, "net").state !== "unavailable") await rejection(host.driver("net").createNetwork("die"));
  };
  await Promise.all([crash(), unavailable]);
  assert.is((await client.ask("plugin", { id: "net" })).state, "unavailable");
  assert.is((await client.ask("restart", { id: "net" })).state, "running");
  await host.driver("net").createNetwork("n");
  const refused = await rejection(client.ask("start", { id: "bad" }));
  assert.is(refused.code, "ERR_PLUGIN_NO_INIT");
  assert.is((await client.ask("plugin", { id: "bad" })).reason?.code, "ERR_PLUGIN_NO_INIT");
  await home.put({ "bad.js": plugin("bad") });
  assert.is((await client.ask("restart", { id: "bad" })).state, "running");
});

test("a stopped plugin can be unloaded, and loaded again", async (t) => {
  const { host, client } = await controlled(t, { "net.js": TELLING });
  await client.ask("stop", { id: "net" });
  await host.unload("net");
  await host.reload("net");
  assert.is(row(host, "net").state, "running");
});

test("a restart that fails is tried again, as after a crash", async (t) => {
  const { host, client } = await controlled(t, {
    "net.js": plugin("net", {
      start:
        'if ((await powers.store.get("fail")) === true) { await powers.store.delete("fail"); throw new Error("no"); }',
      methods: 'createNetwork: () => powers.store.set("fail", true),',
    }),
    "net.plugin.json": '{ "permissions": { "store": true } }',
  });
  await host.driver("net").createNetwork("n");
  const restarted = next(host, "plugin:restarted");
  assert.is((await rejection(client.ask("restart", { id: "net" }))).code, "ERR_PLUGIN_INIT");
  await restarted;
  assert.is(row(host, "net").state, "running");
});

test("a plugin that the policy stops stays stopped, and the error says why", async (t) => {
  const policy = { plugins: { net: { enabled: false } } };
  const { client } = await controlled(t, { "net.js": TELLING }, { policy });
  const error = await rejection(client.ask("start", { id: "net" }));
  assert.is(error.code, "ERR_PLUGIN_STOPPED");
  assert.match(error.message, /"enabled": false/);
});

test("a hold lasts until the host ends", async (t) => {
  const { host, client, home } = await controlled(t, { "net.js": TELLING });
  await host.driver("net").createNetwork("n");
  await client.ask("quarantine", { id: "net" });
  await host.close();
  const again = await home.open({ dataDir: home.path("data") });
  assert.is(row(again, "net").state, "running");
  assert.equal((await asked(again)).known, ["n"]);
});

test("every change is a line of the audit log, with the caller; reading is not", async (t) => {
  const { client, home, host, socket } = await controlled(t, { "net.js": TELLING });
  await client.ask("plugins");
  for (const name of ["restart", "stop", "start", "reload", "quarantine"] as const)
    await client.ask(name, { id: "net" });
  await rejection(client.ask("call", { body: { type: "net", method: "createNetwork", args: ["n\n\u001b"] } }));
  const args = ["n", { long: "x".repeat(5000) }];
  await rejection(client.ask("call", { body: { type: "net", method: "createNetwork", args } }));
  await rejection(client.ask("restart", { id: "no\nsuch" }));
  await host.close();
  const text = await readFile(home.path("data/audit.jsonl"), "utf8");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, string>);
  const by = `by uid ${process.getuid?.()} through ${socket}`;
  const told = lines.filter(({ event }) => event === "operator");
  assert.equal(
    told.map(({ plugin, detail }) => [plugin, detail]),
    ["restart", "stop", "start", "reload", "quarantine"].flatMap((what) =>
      ["begun", "done"].map((how) => ["net", `${what} ${by}: ${how}`]),
    ),
  );
  const [begun, call, , long] = lines.filter(({ event }) => event === "operator-call");
  assert.match(begun?.detail ?? "", /^call net\.createNetwork by uid \d+ .*: begun; arguments: "n\\n\\u001b"$/);
  assert.match(call?.detail ?? "", /^call net\.createNetwork by uid \d+ .*: failed: .*; arguments: "n\\n\\u001b"$/);
  assert.is(call?.code, "ERR_PLUGIN_QUARANTINED");
  const who = long?.detail ?? "";
  assert.ok(who.startsWith(`call net.createNetwork ${by}: failed: `), "long arguments hide neither who nor how");
});

test("the line of a change is in the audit log before the change acts, whatever becomes of it", async (t) => {
  const { client, home, host } = await controlled(t, {
    "net.js": plugin("net", { methods: "deleteNetwork() { console.log('reached'); return new Promise(() => {}); }," }),
  });
  await host.driver("net").createNetwork("n");
  const audit = async (): Promise<string> => readFile(home.path("data/audit.jsonl"), "utf8").catch(() => "");
  const written: string[] = [];
  const reached = new Promise<void>((resolve) => {
    host.on("plugin:log", () => {
      // At this moment the driver has the call.
      written.push(readFileSync(home.path("data/audit.jsonl"), "utf8"));
      resolve();
    });
  });
  const hanging = rejection(client.ask("call", { body: { type: "net", method: "deleteNetwork", args: ["n"] } }));
  await reached;
  assert.match(written[0] ?? "", /"operator-call".*: begun; arguments/);
  assert.not.match(await audit(), ": failed");
  await client.ask("quarantine", { id: "net" });
  await hanging;
  await until(async () => /"operator-call".*: failed/.test(await audit()), "the call's end in the audit log");
});

test("an audit log that cannot be written does not keep an operator from acting", async (t) => {
  const { client, home } = await controlled(t, { "net.js": TELLING });
  await mkdir(home.path("data/audit.jsonl"));
  assert.is((await client.ask("quarantine", { id: "net" })).state, "quarantined");
  assert.ok(home.log.some(({ text }) => /audit log .* cannot be written/.test(text)));
});

test("a change for which the audit log has no line left is refused, and none is without a trace", async (t) => {
  const { client, home } = await controlled(t, { "net.js": plugin("net") });
  let done = 0;
  let refused: { code?: string } = {};
  while (refused.code === undefined && done < 100)
    await client.ask("start", { id: "net" }).then(
      () => done++,
      (error) => {
        refused = error;
      },
    );
  assert.is(refused.code, "ERR_CONTROL_BUSY");
  assert.is(done, 60);
  const text = await readFile(home.path("data/audit.jsonl"), "utf8");
  assert.is(text.split("start by uid").length - 1, 2 * done);
});

test.run();
