/** Bad input: each costs its own plugin, with an error that says where and what to do. The rest load. */
import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, rejection, suite, until } from "../../harness.js";
import { house, next, row } from "../../kit/host.js";
import { driver, plugin } from "../../kit/plugins.js";

const test = suite("host: bad input");
const run = promisify(execFile);

interface Bad {
  readonly what: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly code: string;
  /** File, field or line, and what to do. */
  readonly says: RegExp;
}

const manifest = (text: string): Record<string, string> => ({ "bad.js": plugin("bad"), "bad.plugin.json": text });

const ALL: readonly Bad[] = [
  {
    what: "an empty file",
    files: { "bad.js": "" },
    code: "ERR_PLUGIN_FILE",
    says: /bad\.js is empty; a plugin exports/,
  },
  {
    what: "a binary file",
    files: { "bad.js": new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 255]) },
    code: "ERR_PLUGIN_FILE",
    says: /bad\.js is binary; .*UTF-8/,
  },
  {
    what: "a file of 50 MB",
    files: { "bad.js": Buffer.alloc(50_000_000, "/") },
    code: "ERR_PLUGIN_SIZE",
    says: /bad\.js has 50000000 bytes, .*split it/,
  },
  {
    what: "wrong syntax",
    files: { "bad.js": "export function init() {\n  const = 3;\n}\n" },
    code: "ERR_PLUGIN_SYNTAX",
    says: /bad\.js:2/,
  },
  {
    what: "a manifest that is not JSON",
    files: manifest('{\n  "name": "bad",\n  oops\n}'),
    code: "ERR_MANIFEST_INVALID",
    says: /bad\.plugin\.json:3/,
  },
  {
    what: "a manifest with an unknown field",
    files: manifest('{\n  "permisions": {}\n}'),
    code: "ERR_MANIFEST_INVALID",
    says: /bad\.plugin\.json:2.*permisions.*did you mean "permissions"/,
  },
  {
    what: "a manifest with a wrong type",
    files: manifest('{\n  "limits": { "drivers": "many" }\n}'),
    code: "ERR_MANIFEST_INVALID",
    says: /bad\.plugin\.json:2.*limits\.drivers: must be a .*number, not "many"/,
  },
  {
    what: "a manifest with __proto__",
    files: manifest('{\n  "__proto__": { "scope": "global" }\n}'),
    code: "ERR_MANIFEST_INVALID",
    says: /bad\.plugin\.json:2.*__proto__/,
  },
  {
    what: "a manifest that is a list",
    files: manifest("[]"),
    code: "ERR_MANIFEST_INVALID",
    says: /bad\.plugin\.json.*must be an object/,
  },
  {
    what: "a manifest without code",
    files: { "bad.plugin.json": "{}" },
    code: "ERR_PLUGIN_FILE",
    says: /bad\.plugin\.json: a manifest without code beside it; add "bad\.js"/,
  },
  {
    what: "a main that is not there",
    files: { "bad/plugin.json": '{ "main": "gone.js" }' },
    code: "ERR_PLUGIN_FILE",
    says: /gone\.js: plugin\.json names it as main/,
  },
  {
    what: "an import that is not there",
    files: { "bad.js": `\nimport "left-pad";\n${plugin("bad")}` },
    code: "ERR_PLUGIN_IMPORT",
    says: /bad\.js:2.*left-pad/,
  },
  {
    what: "a plugin that registers nothing",
    files: { "bad.js": "export function init() {}" },
    code: "ERR_PLUGIN_NO_DRIVER",
    says: /plugin "bad": init returned and registered no driver; call callback\.registerDriver/,
  },
  {
    what: "no init export",
    files: { "bad.js": "export const start = 1;" },
    code: "ERR_PLUGIN_NO_INIT",
    says: /plugin "bad".* exports no function "init"/,
  },
  {
    what: "an init that is not a function",
    files: { "bad.js": "export const init = 7;" },
    code: "ERR_PLUGIN_NO_INIT",
    says: /plugin "bad".* exports no function "init"/,
  },
  {
    what: "an init that throws",
    files: { "bad.js": "export async function init() {\n  await null;\n  throw new TypeError('no luck');\n}" },
    code: "ERR_PLUGIN_INIT",
    says: /plugin "bad": init threw: TypeError: no luck \(bad\.js:3\)/,
  },
  {
    what: "an init that throws no Error",
    files: { "bad.js": "export function init() {\n  throw null;\n}" },
    code: "ERR_PLUGIN_INIT",
    says: /plugin "bad": init threw: .*null/,
  },
  {
    what: "a throw at the top",
    files: { "bad.js": "\n\nnull.x;\nexport function init() {}" },
    code: "ERR_PLUGIN_LOAD",
    says: /plugin "bad": its code threw while it was evaluated: TypeError: .* \(bad\.js:3\)/,
  },
  {
    what: "a driver that lacks a method",
    files: {
      "bad.js": 'export const init = (c) => c.registerDriver("bad", { type: () => "bad" }, { scope: "local" });',
    },
    code: "ERR_PLUGIN_INIT",
    says: /registerDriver\("bad"\): the driver has no method config\(\); all nine/,
  },
];

for (const { what, files, code, says } of ALL) {
  test(what, async (t) => {
    const { open } = await house(t, { ...files, "fine.js": plugin("fine") });
    const host = await open();
    const bad = row(host, "bad");
    assert.is(bad.state, "refused");
    assert.is(bad.refusal?.code, code, bad.refusal?.message);
    assert.match(bad.refusal?.message ?? "", says);
    assert.equal(bad.drivers, []);
    assert.is(row(host, "fine").state, "running");
    await host.driver("fine").createNetwork("n");
  });
}

test("an init that never returns is ended by its deadline", async (t) => {
  const { open } = await house(t, {
    "bad.js": "export const init = () => new Promise(() => {});",
    "spin.js": "export function init() { for (;;); }",
    "top.js": "for (;;);\nexport function init() {}",
    "fine.js": plugin("fine"),
  });
  const host = await open({
    policy: { plugins: { bad: { timeouts: { init: 200 } }, spin: { timeouts: { init: 200 } } } },
  });
  assert.is(row(host, "bad").refusal?.code, "ERR_PLUGIN_INIT_TIMEOUT");
  assert.match(row(host, "bad").refusal?.message ?? "", /init did not return within 200 ms/);
  for (const name of ["spin", "top"]) assert.is(row(host, name).refusal?.code, "ERR_PLUGIN_INIT_TIMEOUT");
  assert.is(row(host, "fine").state, "running");
});

test("a folder with a file's name", async (t) => {
  const { open, plugins } = await house(t, { "fine.js": plugin("fine") });
  await mkdir(join(plugins, "bad.js"));
  const host = await open();
  assert.is(row(host, "bad").refusal?.code, "ERR_PLUGIN_FILE");
  assert.match(row(host, "bad").refusal?.message ?? "", /bad\.js: it is a folder with a file's name; call it "bad"/);
  assert.is(row(host, "fine").state, "running");
});

test(
  "a named pipe hangs nobody",
  async (t) => {
    const { open, plugins } = await house(t, { "fine.js": plugin("fine") });
    await run("mkfifo", [join(plugins, "bad.js")]);
    const host = await open();
    assert.is(row(host, "bad").refusal?.code, "ERR_PLUGIN_FILE");
    assert.is(row(host, "fine").state, "running");
  },
  { needs: process.platform === "win32" && "named pipes" },
);

test("a file that is missing by the time it is loaded", async (t) => {
  const place = await house(t, { "fine.js": plugin("fine") });
  const host = await place.open();
  await rm(join(place.plugins, "fine.js"));
  const error = await rejection(host.reload("fine"));
  assert.is(error.code, "ERR_PLUGIN_NOT_FOUND");
  assert.match(error.message, /no plugin "fine" in /);
  assert.is(row(host, "fine").state, "running");
});

test("what was wrong is mended by a reload", async (t) => {
  const place = await house(t, { "bad.js": "export function init() {" });
  const host = await place.open();
  assert.is((await rejection(host.reload("bad"))).code, "ERR_PLUGIN_SYNTAX");
  await place.put({ "bad.js": plugin("bad") });
  const loaded = next(host, "plugin:loaded");
  await host.reload("bad");
  await loaded;
  assert.equal([row(host, "bad").state, row(host, "bad").refusal], ["running", undefined]);
});

test("an unawaited registration that fails late ends the worker, not the platform", async (t) => {
  const { open, log } = await house(t, {
    "bad.js": `export async function init(callback) {
      await callback.registerDriver("bad", ${driver("bad")}, { scope: "local" });
      void callback.registerDriver("other", ${driver("other")}, { scope: "local" });
    }`,
    "fine.js": plugin("fine"),
  });
  const host = await open();
  const line = await until(() => log.find(({ fields }) => fields.code === "ERR_PLUGIN_CRASHED"), "the crash");
  assert.match(
    line.text,
    /plugin "bad" ended: an unhandled rejection: Error: plugin "bad" may register "bad", not "other"/,
  );
  assert.is(row(host, "fine").state, "running");
  await host.driver("fine").createNetwork("n");
});

test.run();
