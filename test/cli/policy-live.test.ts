/** `grant` and `revoke` beside a running host: in force when they return; another host, no host, a plugin that hangs or does not start. */
import { readFile, writeFile } from "node:fs/promises";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { house, next, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { cli, type Ran } from "./cli.js";

const test = suite("cli: grant and revoke on a running host");

/** Uses the store only if it has it; asks for more than the harmless set with its second manifest. */
const NET = plugin("net");
const ASKS = '{ "permissions": { "netlink": { "kinds": ["bridge"], "prefix": "nn", "subnets": ["10.9.0.0/24"] } } }';

async function place(t: TestContext, files: Readonly<Record<string, string>>, policy: unknown = {}) {
  const home = await house(t, files);
  const file = home.path("bulkhead.config.json");
  await writeFile(file, JSON.stringify(policy));
  const host = await home.open({ dataDir: home.path("data"), policy: file, backend: "model" });
  const { path: socket } = await host.control(home.path("data/control.sock"));
  const run = (...args: string[]): Promise<Ran> =>
    cli([
      ...args,
      ...["--policy", file, "--data-dir", home.path("data")],
      ...(args[0] === "revoke" ? [] : ["--plugins", home.plugins]),
    ]);
  return { home, host, file, socket, run };
}

test("a grant is in force when the command returns, and the command says so", async (t) => {
  const { host, run, socket } = await place(t, { "net.js": NET, "net.plugin.json": ASKS });
  assert.is(row(host, "net").state, "awaiting-grant");
  const ran = await run("grant", "net", "--json");
  assert.is(row(host, "net").state, "running");
  assert.is(ran.exit, 0, ran.out);
  assert.equal(ran.json().host, { socket, outcome: "applied", state: "running" });
  assert.match((await run("grant", "net")).out, "\n  host         applied by the running host: net is running\n");
  const dry = await run("grant", "net", "--dry-run", "--json");
  assert.is(dry.json().host, null);
});

test("a revocation is in force when the command returns; status and messages say what holds then", async (t) => {
  const { home, host, run } = await place(t, { "net.js": NET, "net.plugin.json": ASKS });
  await run("grant", "net");
  await host.driver("net").createNetwork("n");
  const ran = await run("revoke", "net");
  assert.equal([ran.exit, row(host, "net").state], [0, "awaiting-grant"]);
  assert.match(
    ran.out,
    /\n {2}host {2}applied by the running host: net is awaiting-grant: ERR_GRANT_MISSING: .*netlink/,
  );
  assert.match(
    ran.out,
    "\n  then  it is out of service: its calls are refused, and its networks, links and rules stay",
  );
  assert.not.match(ran.out, "keeps running");
  assert.ok((await rejection(host.driver("net").createNetwork("m"))).code);
  const at = ["--data-dir", home.path("data")];
  const { out } = await cli(["status", "net", ...at]);
  assert.match(out, /\n {2}runs in {3}nothing: it has no worker\n {2}grant {5}none\n/);
  assert.match(out, /\n {2}sha256 {4}[0-9a-f]{64} \(ran last\)\n/);
  assert.not.match(out, "keeps running");
  const json = (await cli(["status", "net", ...at, "--json"])).json();
  assert.equal([json.grant, json.wall, json.pid], [null, null, null]);
  const { out: events } = await cli(["events", "net", ...at]);
  assert.not.match(events, "keeps running");
  assert.is(events.match(/plugin:awaiting-grant/g)?.length, 1);
  assert.is((await run("grant", "net")).exit, 0);
  await host.driver("net").deleteNetwork("n");
});

test("a revocation of a plugin that needs no more than the harmless permissions: it runs on, with them", async (t) => {
  const { home, host, run } = await place(t, { "net.js": NET });
  await run("grant", "net");
  const ran = await run("revoke", "net");
  assert.equal([ran.exit, row(host, "net").state], [0, "running"]);
  assert.match(ran.out, "\n  then  it runs on, with the harmless permissions alone");
  const { out } = await cli(["status", "net", "--data-dir", home.path("data")]);
  assert.match(out, /\n {2}runs in {3}thread, wall none, process -\n {2}grant {5}local: /);
});

test("a plugin that an operator stopped, and whose grant is revoked then, has none", async (t) => {
  const { home, run } = await place(t, { "net.js": NET, "net.plugin.json": ASKS });
  await run("grant", "net");
  const at = ["--data-dir", home.path("data")];
  await cli(["stop", "net", ...at]);
  assert.match((await cli(["status", "net", ...at])).out, "\n  grant     local: netlink ");
  await run("revoke", "net");
  assert.match((await cli(["status", "net", ...at])).out, "\n  grant     none\n");
});

test("a plugin that was copied a moment ago is loaded; the audit log has the change", async (t) => {
  const { home, host, run } = await place(t, { "net.js": NET });
  await home.put({ "late.js": plugin("late") });
  const ran = await run("grant", "late");
  assert.is(ran.exit, 0, ran.err);
  assert.is(row(host, "late").state, "running");
  await host.close();
  const lines = await readFile(home.path("data/audit.jsonl"), "utf8");
  assert.match(lines, /"plugin":"late".*"event":"operator".*"detail":"apply by uid \d+ .*: done"/);
});

test("a plugin that does not start under its grant: the policy is written, the command fails and says why on one line", async (t) => {
  const { run, file } = await place(t, {
    "net.js": "export async function init() { throw new Error('no\\nhost  applied\\u001b[31m'); }\n",
    "net.plugin.json": ASKS,
  });
  const ran = await run("grant", "net");
  assert.is(ran.exit, 1);
  assert.match(
    ran.err,
    /^error ERR_PLUGIN_INIT: "[^"]+" is granted, but the running host does not serve this version .*\n$/,
  );
  assert.not(/[^\P{C}\n]/u.test(ran.out + ran.err), JSON.stringify(ran));
  assert.not(ran.out.split("\n").some((line) => line.startsWith("host  applied")));
  assert.match(await readFile(file, "utf8"), '"nn"');
});

test("a plugin whose init hangs: the command returns at its deadline, and another plugin's does not delay it", async (t) => {
  const hanging = "export function init() { return new Promise(() => {}); }\n";
  const { run, host, home } = await place(
    t,
    { "net.js": NET, "net.plugin.json": ASKS },
    { defaults: { timeouts: { init: 1000 } } },
  );
  await home.put({ "slow.js": hanging });
  assert.is((await run("grant", "net")).exit, 0);
  const ran = await run("grant", "slow", "--json");
  assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_PLUGIN_INIT_TIMEOUT"]);
  assert.is(row(host, "net").state, "running");
});

test("a plugin that an operator stopped stays stopped", async (t) => {
  const { run, host, home } = await place(t, { "net.js": NET, "net.plugin.json": ASKS });
  await run("grant", "net");
  await cli(["stop", "net", "--data-dir", home.path("data")]);
  const ran = await run("grant", "net");
  assert.is(ran.exit, 0);
  assert.match(ran.out, "applied by the running host: net is stopped: ERR_PLUGIN_STOPPED: ");
  assert.is(row(host, "net").state, "stopped");
});

test("a host that follows another policy is left alone; without a host, only the file changes", async (t) => {
  const { home, host, socket } = await place(t, { "net.js": NET, "net.plugin.json": ASKS });
  const other = home.path("other.json");
  const places = ["--policy", other, "--plugins", home.plugins];
  const ran = await cli(["grant", "net", ...places, "--control", socket]);
  assert.is(ran.exit, 0);
  assert.match(
    ran.out,
    `not in force in the host at ${socket}: it follows the policy ${home.path("bulkhead.config.json")}`,
  );
  assert.is(row(host, "net").state, "awaiting-grant");
  await host.close();
  const none = await cli(["grant", "net", ...places, "--control", socket]);
  assert.match(
    none.out,
    `\n  host         no host runs at ${socket}; it takes effect when one starts with this policy`,
  );
  assert.is((await cli(["revoke", "net", "--policy", other, "--control", socket, "--json"])).json().host, null);
});

test("a policy that the host cannot read: the command fails, the earlier one stays in force", async (t) => {
  const { client, file, host } = await (async () => {
    const one = await place(t, { "net.js": NET });
    const { ControlClient } = await import("#dist/control/client.js");
    return { ...one, client: new ControlClient(one.socket) };
  })();
  await writeFile(file, '{ "plugins": { "net": { "enabled": 3 } } }');
  const error = await rejection(client.ask("apply", { id: "net" }));
  assert.is(error.code, "ERR_POLICY_INVALID");
  const { problem, policy, file: followed } = await client.ask("policy");
  assert.equal([problem?.code, problem?.line, policy, followed], ["ERR_POLICY_INVALID", 1, {}, file]);
  assert.is(row(host, "net").state, "running");
  await writeFile(file, '{ "plugins": { "net": { "enabled": false } } }');
  const stopped = next(host, "plugin:stopped");
  assert.is((await client.ask("apply", { id: "net" })).state, "stopped");
  await stopped;
  assert.is((await client.ask("policy")).problem, null);
  assert.is((await rejection(client.ask("apply", { id: "none\u001b" }))).code, "ERR_PLUGIN_NOT_FOUND");
});

test.run();
