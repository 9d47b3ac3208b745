/** What a plugin writes is seen: as the event `plugin:log`, by the platform's logger, and on stderr where it gives none. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PluginLogEvent } from "#dist/index.js";
import { assert, suite, until } from "../harness.js";
import { house, next, REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host: a plugin's output");
const run = promisify(execFile);

const TALKS = plugin("talks", {
  methods: `createNetwork(nid) { console.log("network", nid); },
    deleteNetwork(nid) { powers.log("warn", "gone", { nid }); },`,
});

test("a line of its console is an event, and so is one of powers.log, with its fields", async (t) => {
  const place = await house(t, { "talks.js": TALKS });
  const host = await place.open();
  const heard: PluginLogEvent[] = [];
  host.on("plugin:log", (event) => void heard.push(event));
  await host.driver("talks").createNetwork("one");
  await host.driver("talks").deleteNetwork("one");
  await until(() => heard.length === 2, "both lines");
  assert.equal(heard[0], { plugin: "talks", level: "info", message: "network one" });
  const { fields, ...second } = heard[1] ?? ({} as PluginLogEvent);
  assert.equal(second, { plugin: "talks", level: "warn", message: "gone" });
  assert.equal({ ...fields }, { nid: "one" });
  const line = place.log.find(({ text }) => text === "network one");
  assert.equal([line?.level, { ...line?.fields }], ["info", { plugin: "talks", source: "plugin" }]);
});

test("a hostile plugin's lines are one line each, bounded in length and number", async (t) => {
  const floods = `for (let n = 0; n < 3000; n++) console.log("x".repeat(20000) + "\\n[other] forged\\u001b[31m");`;
  const place = await house(t, { "loud.js": plugin("loud", { methods: `createNetwork() { ${floods} },` }) });
  const host = await place.open();
  const heard: PluginLogEvent[] = [];
  host.on("plugin:log", (event) => void heard.push(event));
  const told = next(host, "plugin:log", ({ message }) => /dropped/.test(message));
  await host.driver("loud").createNetwork("one");
  await told;
  assert.ok(heard.length > 100 && heard.length < 1000, String(heard.length));
  for (const { message } of heard) {
    assert.ok(message.length <= 4096);
    assert.not.match(message, /[\p{Cc}]/u);
  }
});

test("without a logger it is on stderr with the plugin's id, at info and above; stdout stays the platform's", async (t) => {
  const folder = await t.folder();
  const start = `console.log("hello %s", "world"); console.debug("hidden"); console.error("bad %d");
    powers.log("info", "with", { n: 1 });`;
  const script = `import { createPluginHost } from ${JSON.stringify(join(REPO, "dist/index.js"))};
    const host = await createPluginHost({ plugins: "./plugins", isolation: "thread" });
    await host.close();
    console.log("done");`;
  await run("mkdir", [join(folder, "plugins")]);
  await writeFile(join(folder, "plugins/hi.js"), plugin("hi", { start }));
  await writeFile(join(folder, "main.mjs"), script);
  const { stdout, stderr } = await run(process.execPath, ["main.mjs"], { cwd: folder });
  assert.is(stdout, "done\n");
  assert.equal(stderr.trim().split("\n"), ["[hi] hello world", "[hi] error: bad %d", "[hi] with { n: 1 }"]);
});

test.run();
