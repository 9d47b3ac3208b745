/** Names and files at the host: ids, duplicates, what is ignored. */
import { mkdir } from "node:fs/promises";
import { assert, rejection, suite } from "../../harness.js";
import { hear, house, next, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: names and files");

test("a file's stem or a folder's name is the id; .js, .mjs and .ts load", async (t) => {
  const { open } = await house(t, {
    "one.js": plugin("one"),
    "two.mjs": plugin("two"),
    "three.ts": plugin("three", { top: "const typed: number = 3; void typed;" }),
    "four/plugin.json": "{}",
    "four/index.js": plugin("four"),
    "five/plugin.json": '{ "name": "five", "main": "lib/code.ts" }',
    "five/lib/code.ts": plugin("five"),
  });
  const host = await open();
  const names = host.plugins().map(({ name, state }) => `${name} ${state}`);
  assert.equal(names, ["five running", "four running", "one running", "three running", "two running"]);
});

test("an invalid id is refused with what to do; a manifest's name must be the id", async (t) => {
  const { open } = await house(t, {
    "Big.js": plugin("big"),
    "fine.js": plugin("fine"),
    "other.js": plugin("other"),
    "other.plugin.json": '{\n  "name": "another"\n}',
  });
  const host = await open();
  assert.is(row(host, "Big").refusal?.code, "ERR_PLUGIN_NAME");
  assert.match(row(host, "Big").refusal?.message ?? "", /Big\.js: "Big" is not a plugin id; rename .* \^\[a-z\]/);
  const other = row(host, "other").refusal;
  assert.is(other?.code, "ERR_MANIFEST_INVALID");
  assert.match(
    other?.message ?? "",
    /other\.plugin\.json: name: must be "other", as the file is called, or be left out, not "another"/,
  );
  assert.is(row(host, "fine").state, "running");
});

test("an id found twice at start: neither loads, and the message names both", async (t) => {
  const { open } = await house(t, {
    "twin.js": plugin("twin"),
    "twin.ts": plugin("twin"),
    "fine.js": plugin("fine"),
  });
  const host = await open();
  const { state, refusal } = row(host, "twin");
  assert.is(state, "refused");
  assert.is(refusal?.code, "ERR_PLUGIN_DUPLICATE");
  assert.match(refusal?.message ?? "", /twin\.js and .*twin\.ts; none is loaded until only one is left/);
  assert.is(row(host, "fine").state, "running");
});

test("an id found twice over two folders: neither loads", async (t) => {
  const a = await house(t, { "twin.js": plugin("twin") });
  const b = await house(t, { "twin/plugin.json": "{}", "twin/index.js": plugin("twin"), "fine.js": plugin("fine") });
  const host = await a.open({ plugins: [a.plugins, b.plugins] });
  assert.is(row(host, "twin").refusal?.code, "ERR_PLUGIN_DUPLICATE");
  assert.is(row(host, "fine").state, "running");
});

test("a second one while the first runs: the newcomer is refused, the first serves on", async (t) => {
  const place = await house(t, { "twin.js": plugin("twin") });
  const host = await place.open({ watch: true });
  const heard = hear(host);
  const refused = next(host, "plugin:refused");
  await place.put({ "twin/plugin.json": "{}", "twin/index.js": plugin("twin") });
  const { code, reason } = await refused;
  assert.is(code, "ERR_PLUGIN_DUPLICATE");
  assert.match(reason ?? "", /none is loaded until only one is left; one that already runs keeps running$/);
  assert.is(row(host, "twin").state, "running");
  await host.driver("twin").createNetwork("n");
  assert.is((await rejection(host.reload("twin"))).code, "ERR_PLUGIN_DUPLICATE");
  assert.is(row(host, "twin").state, "running");
  assert.not(heard.some(({ name }) => name === "plugin:stopped" || name === "plugin:restarting"));
});

test("a folder without plugin.json", async (t) => {
  const { open, plugins } = await house(t, { "bare/index.js": plugin("bare"), "fine.js": plugin("fine") });
  await mkdir(`${plugins}/empty`);
  const host = await open();
  for (const name of ["bare", "empty"]) {
    assert.is(row(host, name).refusal?.code, "ERR_MANIFEST_MISSING");
    assert.match(row(host, name).refusal?.message ?? "", /plugin\.json/);
  }
  assert.is(row(host, "fine").state, "running");
});

test("dotfiles, node_modules, declarations, notes, other JSON and editors' leftovers are ignored", async (t) => {
  const { open } = await house(t, {
    ".hidden.js": "nonsense(",
    ".git/config": "",
    "node_modules/left/index.js": "nonsense(",
    "types.d.ts": "nonsense(",
    "README.md": "# plugins",
    "data.json": "{",
    "fine.js~": "nonsense(",
    ".fine.js.swp": "nonsense(",
    "fine.swp": "nonsense(",
    "fine.js": plugin("fine"),
  });
  const host = await open();
  assert.equal(
    host.plugins().map(({ name, state }) => [name, state]),
    [["fine", "running"]],
  );
});

test("an empty folder is not an error", async (t) => {
  const { open } = await house(t);
  assert.equal((await open()).plugins(), []);
});

test.run();
