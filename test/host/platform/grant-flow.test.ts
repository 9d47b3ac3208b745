/** From `awaiting-grant` to running: the message's own line, run unchanged; and the pin that a change breaks. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, rejection, suite, until } from "../../harness.js";
import { hear, house, next, REPO, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: awaiting a grant");
const run = promisify(execFile);

/** Runs a line that begins with `bulkhead` as a shell would, with the built command in its place. */
async function shell(line: string, cwd: string): Promise<string> {
  assert.ok(line.startsWith("bulkhead "));
  const main = join(REPO, "dist/cli/main.js");
  const { stdout } = await run("sh", ["-c", `"${process.execPath}" "${main}" ${line.slice("bulkhead ".length)}`], {
    cwd,
  });
  return stdout;
}

/** The line a message ends with. */
function lineOf(message: string | undefined): string {
  return /bulkhead grant .*$/.exec(message ?? "")?.[0] ?? "";
}

test("the message's line, run unchanged, and a reload: running", async (t) => {
  const place = await house(t, {
    "a.js": plugin("a", { capability: '{ scope: "global" }' }),
    "a.plugin.json": '{ "scope": "global", "permissions": { "store": { "bytes": 4096 } } }',
  });
  const policy = place.path("a policy.json");
  await writeFile(policy, "{}");
  const host = await place.open({ policy });
  const waiting = row(host, "a");
  assert.equal([waiting.state, waiting.refusal?.code], ["awaiting-grant", "ERR_GRANT_MISSING"]);
  assert.match(waiting.refusal?.message ?? "", /plugin "a" asks for scope "global" \(granted: "local"\)/);
  const line = lineOf(waiting.refusal?.message);
  assert.is(line, `bulkhead grant a --policy '${policy}' --plugins ${place.plugins}`);
  const again = next(host, "plugin:awaiting-grant");
  assert.is((await rejection(host.reload("a"))).code, "ERR_GRANT_MISSING");
  assert.is((await again).code, "ERR_GRANT_MISSING");

  assert.match(await shell(line, place.plugins), /granted a/);
  await host.reload("a");
  assert.equal([row(host, "a").state, row(host, "a").refusal], ["running", undefined]);
  assert.equal(row(host, "a").grant?.permissions.store?.bytes, 4096);
});

test("a folder's plugin: the line works too", async (t) => {
  const place = await house(t, {
    "b/plugin.json": '{ "scope": "global" }',
    "b/index.js": plugin("b", { capability: '{ scope: "global" }' }),
  });
  const policy = place.path("policy.json");
  await writeFile(policy, "{}");
  const host = await place.open({ policy });
  await shell(lineOf(row(host, "b").refusal?.message), place.plugins);
  await host.reload("b");
  assert.is(row(host, "b").state, "running");
});

test("nothing of a plugin that waits is run", async (t) => {
  const place = await house(t, { "a.js": "throw new Error('run');", "a.plugin.json": '{ "scope": "global" }' });
  const host = await place.open();
  assert.is(row(host, "a").state, "awaiting-grant");
});

test("a pin that does not match: ERR_PLUGIN_CHANGED, with both digests and the line", async (t) => {
  const place = await house(t, { "a.js": plugin("a") });
  const policy = place.path("policy.json");
  const pin = "ab".repeat(32);
  await writeFile(policy, JSON.stringify({ plugins: { a: { sha256: pin } } }));
  const host = await place.open({ policy });
  const { state, refusal } = row(host, "a");
  assert.equal([state, refusal?.code], ["awaiting-grant", "ERR_PLUGIN_CHANGED"]);
  assert.match(refusal?.message ?? "", new RegExp(`its sha256 is [0-9a-f]{64}, the policy pins ${pin}`));
  await shell(lineOf(refusal?.message), place.plugins);
  const { plugins } = JSON.parse(await readFile(policy, "utf8")) as { plugins: { a: { sha256: string } } };
  await host.reload("a");
  assert.is(row(host, "a").state, "running");
  assert.is(row(host, "a").sha256, plugins.a.sha256);
});

test("a pinned plugin that changes while it runs: the old one serves on, the new one waits", async (t) => {
  const place = await house(t, { "a.js": plugin("a") });
  const policy = place.path("policy.json");
  await writeFile(policy, "{}");
  const host = await place.open({ policy });
  await shell(`bulkhead grant a --policy ${policy} --plugins ${place.plugins}`, place.plugins);
  await host.reload("a");
  await host.driver("a").createNetwork("n");
  const heard = hear(host);
  await place.put({ "a.js": `${plugin("a")}// changed` });
  assert.is((await rejection(host.reload("a"))).code, "ERR_PLUGIN_CHANGED");
  assert.is(row(host, "a").state, "running");
  assert.equal(
    heard.map(({ name, event }) => [name, event.code]),
    [["plugin:awaiting-grant", "ERR_PLUGIN_CHANGED"]],
  );
  await host.driver("a").deleteNetwork("n");
});

test("watch: a grant that appears in the policy loads the plugin that waits", async (t) => {
  const place = await house(t, {
    "a.js": plugin("a", { capability: '{ scope: "global" }' }),
    "a.plugin.json": '{ "scope": "global" }',
    "b.js": plugin("b"),
  });
  const policy = place.path("policy.json");
  await writeFile(policy, "{}");
  const host = await place.open({ policy, watch: true });
  assert.is(row(host, "a").state, "awaiting-grant");
  const loaded = next(host, "plugin:loaded", ({ plugin }) => plugin === "a");
  await shell(lineOf(row(host, "a").refusal?.message), place.plugins);
  await loaded;
  assert.is(row(host, "a").state, "running");
  assert.is(host.driver("a").type(), "a");
});

test("watch: a policy edited into nonsense keeps the one in force, and says so", async (t) => {
  const place = await house(t, {
    "a.js": plugin("a", { capability: '{ scope: "global" }' }),
    "a.plugin.json": '{ "scope": "global" }',
  });
  const policy = place.path("policy.json");
  const good = JSON.stringify({ plugins: { a: { grant: { scope: "global" } } } });
  await writeFile(policy, good);
  const host = await place.open({ policy, watch: true });
  const heard = hear(host);
  await writeFile(policy, '{ "plugins": {\n "a": { "grant": nonsense } } }');
  const line = await until(
    () => place.log.find(({ level, fields }) => level === "error" && fields.code === "ERR_POLICY_INVALID"),
    "the log line",
    10_000,
  );
  assert.match(line.text, /policy could not be reloaded, so the previous one stays in force: .*policy\.json:2/);
  assert.is(row(host, "a").state, "running");
  await host.reload("a");
  assert.is(row(host, "a").grant?.scope, "global");
  assert.equal(
    heard.map(({ name }) => name),
    ["plugin:loaded"],
  );
});

test.run();
