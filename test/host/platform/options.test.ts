/** `createPluginHost` rejects for bad options, folder or policy, and for nothing else. */
import { writeFile } from "node:fs/promises";
import { createPluginHost, type PluginHostOptions } from "#dist/index.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { house, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: options");

const start = (options: unknown): Promise<Error & { code?: string; kind?: string }> =>
  rejection(createPluginHost(options as PluginHostOptions));

test("an unknown option is named, with the nearest known one", async (t) => {
  const { plugins } = await house(t);
  const error = await start({ plugins, isolaton: "thread" });
  assert.is(error.code, "ERR_OPTIONS");
  assert.is(error.kind, "BadRequest");
  assert.is(error.message, 'unknown option "isolaton"; did you mean "isolation"?');
  assert.match((await start({ plugins, zzz: 1 })).message, /unknown option "zzz"$/);
});

const WRONG: ReadonlyArray<readonly [string, unknown, RegExp]> = [
  ["nothing", undefined, /createPluginHost takes an object/],
  ["null", null, /createPluginHost takes an object/],
  ["no plugins", {}, /option "plugins" is missing/],
  ["an empty path", { plugins: "" }, /"plugins" must be/],
  ["no folders", { plugins: [] }, /"plugins" must be/],
  ["a number among folders", { plugins: ["a", 1] }, /"plugins" must be/],
  ["a policy that is a number", { plugins: ".", policy: 7 }, /"policy" must be/],
  ["an isolation there is not", { plugins: ".", isolation: "vm" }, /"isolation" must be one of "thread", "process"/],
  ["a callback without registerDriver", { plugins: ".", callback: {} }, /"callback" must be .*registerDriver/],
  ["half a logger", { plugins: ".", logger: { info() {} } }, /"logger" must be pino-shaped/],
  ["an invalid signal", { plugins: ".", signal: {} }, /"signal" must be an AbortSignal/],
  ["watch as a word", { plugins: ".", watch: "yes" }, /"watch" must be true or false/],
  ["a backend there is not", { plugins: ".", backend: "bsd" }, /"backend" must be/],
  ["a namespace that is a number", { plugins: ".", netns: 1 }, /"netns" must be/],
  ["a dataDir that is not a path", { plugins: ".", dataDir: true }, /"dataDir" must be/],
];
for (const [what, options, says] of WRONG) {
  test(`ERR_OPTIONS: ${what}`, async () => {
    const error = await start(options);
    assert.is(error.code, "ERR_OPTIONS");
    assert.match(error.message, says);
  });
}

test("ERR_PLUGINS_DIR: a folder that is missing, or none", async (t) => {
  const { path, plugins } = await house(t);
  const missing = await start({ plugins: path("gone"), isolation: "thread" });
  assert.is(missing.code, "ERR_PLUGINS_DIR");
  assert.match(missing.message, /gone: the folder does not exist; create it/);
  await writeFile(path("file"), "");
  assert.match(
    (await start({ plugins: [plugins, path("file")], isolation: "thread" })).message,
    /file: it is not a folder/,
  );
});

test("ERR_POLICY_INVALID: a file or an object that is wrong, and never a laxer policy instead", async (t) => {
  const { path, plugins } = await house(t, { "fine.js": plugin("fine") });
  const policy = path("bulkhead.config.json");
  assert.is((await start({ plugins, policy, isolation: "thread" })).code, "ERR_POLICY_INVALID");
  await writeFile(policy, '{\n  "plugins": {\n    "fine": { "grants": {} }\n  }\n}');
  const error = await start({ plugins, policy, isolation: "thread" });
  assert.is(error.code, "ERR_POLICY_INVALID");
  assert.match(error.message, /bulkhead\.config\.json:3.*plugins\.fine\.grants: unknown key; did you mean "grant"/);
  const given = await start({
    plugins,
    policy: { plugins: { fine: { timeouts: { join: -1 } } } },
    isolation: "thread",
  });
  assert.is(given.code, "ERR_POLICY_INVALID");
  assert.match(given.message, /plugins\.fine\.timeouts\.join: must be at least 1/);
});

test("whatever is wrong with plugins, it resolves, when every one has settled", async (t) => {
  const { open } = await house(t, {
    "a.js": "(",
    "b.js": "export function init() {}",
    "c/x.js": "",
    "d.js": plugin("d"),
  });
  const host = await open();
  assert.equal(
    host.plugins().map(({ state }) => state),
    ["refused", "refused", "refused", "running"],
  );
});

test("signal: aborted before, the host closes at once; aborted later, it closes", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const closed = await open({ signal: AbortSignal.abort() });
  assert.is(row(closed, "a").state, "stopped");
  assert.is((await rejection(closed.reload("a"))).code, "ERR_HOST_CLOSED");
  const stop = new AbortController();
  const host = await open({ signal: stop.signal });
  assert.is(row(host, "a").state, "running");
  stop.abort();
  await until(() => row(host, "a").state === "stopped", "the host to close");
  assert.is((await rejection(host.unload("a"))).code, "ERR_HOST_CLOSED");
});

test("close: twice is harmless, and calls are refused from then on", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  const driver = host.driver("a");
  await Promise.all([host.close(), host.close()]);
  await host.close();
  await host[Symbol.asyncDispose]();
  assert.is((await rejection(driver.createNetwork("n"))).code, "ERR_HOST_CLOSED");
});

test.run();
