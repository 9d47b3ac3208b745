/** `watch` where a path leads elsewhere than before: links that are swapped, folders that are moved or recreated, packages installed later. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PluginHost } from "#dist/index.js";
import { assert, suite, until } from "../../harness.js";
import { type House, house, next, REPO, row, told } from "../../kit/host.js";
import { plugin, telling } from "../../kit/plugins.js";

const test = suite("host: watch, places");

/** A policy that grants plugin "a" its bridges, or does not. */
function policyText(granted: boolean): string {
  const netlink = { kinds: ["bridge"], prefix: "wp", subnets: ["10.64.0.0/10"] };
  return JSON.stringify({ plugins: { a: { grant: granted ? { netlink } : {} } } });
}

const WANTS = {
  "a.js": plugin("a"),
  "a.plugin.json": JSON.stringify({ permissions: { netlink: { kinds: ["bridge"] } } }),
};

/** Puts a file into a new folder and lets the link lead there, as a ConfigMap's update does. */
async function mount(place: House, generation: string, name: string, text: string): Promise<void> {
  await mkdir(place.path(generation));
  await writeFile(join(place.path(generation), name), text);
  await symlink(generation, place.path("..new"));
  await rename(place.path("..new"), place.path("..data"));
}

test("a policy behind links that are swapped: the revocation acts", async (t) => {
  const place = await house(t, WANTS);
  await mount(place, "..1", "policy.json", policyText(true));
  await symlink("..data/policy.json", place.path("policy.json"));
  const host = await place.open({ policy: place.path("policy.json"), watch: true, backend: "model" });
  assert.is(row(host, "a").state, "running");
  const waits = next(host, "plugin:awaiting-grant");
  await mount(place, "..2", "policy.json", policyText(false));
  await waits;
  const back = next(host, "plugin:loaded");
  await mount(place, "..3", "policy.json", policyText(true));
  await back;
});

test("a policy that was away and is back: what it says then acts", async (t) => {
  const place = await house(t, WANTS);
  const policy = place.path("policy.json");
  await writeFile(policy, policyText(true));
  const host = await place.open({ policy, watch: true, backend: "model" });
  await rm(policy);
  await until(
    () => place.log.some(({ text }) => text.includes("the previous one stays in force")),
    "the log to say so",
  );
  assert.is(row(host, "a").state, "running");
  const waits = next(host, "plugin:awaiting-grant");
  await writeFile(policy, policyText(false));
  await waits;
});

/** Edits that plugin until the host has seen one; gives what it tells then. */
async function edited(host: PluginHost, place: House, what: string): Promise<unknown> {
  const loaded = next(host, "plugin:loaded");
  await place.put({ "a.js": telling("a", what) });
  await loaded;
  return told(host, "a");
}

test("a folder behind a link that is swapped: the other folder's plugins serve, and edits in it are followed", async (t) => {
  const place = await house(t, { "a.js": telling("a", "1") });
  await mkdir(place.path("other"));
  await writeFile(place.path("other/a.js"), telling("a", "2"));
  await symlink("plugins", place.path("current"));
  const host = await place.open({ plugins: place.path("current"), watch: true, backend: "model" });
  assert.is(await told(host, "a"), 1);
  const loaded = next(host, "plugin:loaded");
  await symlink("other", place.path("next"));
  await rename(place.path("next"), place.path("current"));
  await loaded;
  assert.is(await told(host, "a"), 2);
  const again = next(host, "plugin:loaded");
  await writeFile(place.path("other/a.js"), telling("a", "3"));
  await again;
  assert.is(await told(host, "a"), 3);
});

test("a folder that is removed and made again, or moved away and another put in its place", async (t) => {
  const place = await house(t, { "a.js": telling("a", "1") });
  const host = await place.open({ watch: true, backend: "model" });
  await rm(place.plugins, { recursive: true });
  await until(() => place.log.some(({ text }) => text.includes("running plugins keep running")), "the log to say so");
  assert.is(await told(host, "a"), 1);
  assert.is(await edited(host, place, "2"), 2);
  const loaded = next(host, "plugin:loaded");
  await mkdir(place.path("new"));
  await writeFile(place.path("new/a.js"), telling("a", "3"));
  await rename(place.plugins, place.path("old"));
  await rename(place.path("new"), place.plugins);
  await loaded;
  assert.is(await told(host, "a"), 3);
  assert.is(await edited(host, place, "4"), 4);
});

test("two hosts of one process follow one folder, also once another is in its place", async (t) => {
  const place = await house(t, { "a.js": telling("a", "1") });
  const hosts = await Promise.all([1, 2].map(() => place.open({ watch: true, backend: "model" })));
  const both = (): Promise<unknown> => Promise.all(hosts.map((host) => next(host, "plugin:loaded")));
  const swapped = both();
  await mkdir(place.path("new"));
  await writeFile(place.path("new/a.js"), telling("a", "2"));
  await rename(place.plugins, place.path("old"));
  await rename(place.path("new"), place.plugins);
  await swapped;
  const loaded = both();
  await place.put({ "a.js": telling("a", "3") });
  await loaded;
  for (const host of hosts) assert.is(await told(host, "a"), 3);
  // What one of them does is not the other's.
  await hosts[0]?.close();
  const last = hosts[1] as PluginHost;
  const again = next(last, "plugin:loaded");
  await place.put({ "a.js": telling("a", "4") });
  await again;
  assert.is(await told(last, "a"), 4);
});

test("a host that follows an empty folder keeps the process alive until it is closed", async (t) => {
  const place = await house(t);
  const script = `import { createPluginHost } from ${JSON.stringify(new URL("dist/index.js", `file://${REPO}`).href)};
const host = await createPluginHost({ plugins: ${JSON.stringify(place.plugins)}, watch: true, isolation: "thread", backend: "model" });
host.on("plugin:loaded", ({ plugin }) => { console.log(plugin); void host.close(); });
console.log("open");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.cleanup(() => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  let out = "";
  const opened = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      out += part;
      if (out.includes("open")) resolve();
    });
  });
  await opened;
  await place.put({ "a.js": plugin("a") });
  assert.equal([await ended, out], [[0, null], "open\na\n"]);
});

test("relative paths are those of the start, wherever the platform goes", async (t) => {
  const place = await house(t, { "a.js": telling("a", "1") });
  await writeFile(place.path("policy.json"), "{}");
  const before = process.cwd();
  t.cleanup(() => process.chdir(before));
  process.chdir(place.path("."));
  const host = await place.open({ plugins: "plugins", policy: "policy.json", dataDir: "data" });
  process.chdir("/");
  await place.put({ "a.js": telling("a", "2") });
  await host.reload("a");
  assert.is(await told(host, "a"), 2);
});

test("a bare file is tried again when the package that its error asks for is installed", async (t) => {
  const place = await house(t, { "a.js": telling("a", "two").replace(/^/, 'import { two } from "two";\n') });
  const host = await place.open({ watch: true, backend: "model" });
  assert.match(row(host, "a").refusal?.message ?? "", /"two" is not found; install the package/);
  const loaded = next(host, "plugin:loaded");
  await place.put({
    "node_modules/two/package.json": JSON.stringify({ name: "two", main: "two.js" }),
    "node_modules/two/two.js": "exports.two = 2;",
    "node_modules/.package-lock.json": "{}",
  });
  await loaded;
  assert.is(await told(host, "a"), 2);
});

test("what was refused and is gone is listed no more, and its name forges no line", async (t) => {
  const place = await house(t, { "b.js": "export function init( {", "c\nplugin d is in service.js": plugin("c") });
  const host = await place.open({ watch: true, backend: "model" });
  const names = (): readonly string[] => host.plugins().map(({ name }) => name);
  assert.equal(names(), ['"c\\nplugin d is in service"', "b"]);
  await place.drop("b.js");
  await place.drop("c\nplugin d is in service.js");
  await until(() => names().length === 0, "nothing to be listed");
});

test("refresh: the same on demand, without watch", async (t) => {
  const place = await house(t, WANTS);
  const policy = place.path("policy.json");
  await writeFile(policy, policyText(true));
  const host = await place.open({ policy, backend: "model" });
  await writeFile(policy, policyText(false));
  await place.put({ "b.js": plugin("b") });
  await host.refresh();
  assert.equal(
    host.plugins().map(({ name, state }) => [name, state]),
    [
      ["a", "awaiting-grant"],
      ["b", "running"],
    ],
  );
});

test.run();
