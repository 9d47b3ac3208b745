/** A failure that a live host recorded is exported, and fails in the same way in the author's test, until the driver is fixed. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { replayRecording } from "#dist/testing.js";
import { cli } from "../cli/cli.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { house, next } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("testing: replayed recordings");

/** Hands out addresses; the third endpoint of a network is one too many, and endpoint "crash" crashes the worker the first time. */
const net = (most: number) =>
  plugin("net", {
    start: "const used = new Map(); let crashed = await powers.store.get('crashed');",
    methods: `createNetwork(id, options) { used.set(id, { subnet: options.subnet, next: 2 }); },
    async createEndpoint(id, eid, info) {
      const network = used.get(id);
      if (eid === "crash" && !crashed) { await powers.store.set("crashed", true); Promise.reject(new Error("crash")); await new Promise(() => {}); }
      if (network.next > ${most + 1}) throw Object.assign(new Error("no address is left in " + network.subnet), { code: "ERR_NO_ADDRESS" });
      if (info.interfaces().length === 0) info.addInterface(0, "", network.subnet + "." + network.next++ + "/24", "");
    },`,
  });

async function live(t: TestContext) {
  const home = await house(t, { "net.js": net(2), "other.js": plugin("other") });
  const host = await home.open({ dataDir: home.path("data") });
  const driver = host.driver("net");
  const add = async (eid: string): Promise<void> => {
    const config = new EndpointConfig();
    await driver.createEndpoint("n", eid, config);
    await driver.join("n", eid, `/sandbox/${eid}`, new JoinConfig(config));
  };
  const exported = async (): Promise<string> => {
    await host.close();
    const out = home.path("failure.jsonl");
    const ran = await cli(["record", "export", "net", "--out", out, "--data-dir", home.path("data")]);
    assert.is(ran.exit, 0, ran.err);
    return out;
  };
  const author = join(await t.folder(), "net.js");
  await writeFile(author, net(2));
  return { home, host, driver, add, exported, author };
}

test("a failure is replayed until the driver is fixed", async (t) => {
  const { host, driver, add, exported, author } = await live(t);
  await host.driver("other").createNetwork("elsewhere");
  await driver.createNetwork("n", { subnet: "10.7.0" });
  await add("one");
  await add("two");
  const failed = await rejection(add("three"));
  const recording = await exported();
  assert.not.match(await readFile(recording, "utf8"), "elsewhere");
  const { calls, failures, differences, skipped } = await replayRecording({ plugin: author, recording });
  assert.equal([differences, skipped, calls.length], [[], 0, 6]);
  assert.is(failures.length, 1);
  assert.equal(failures[0]?.recorded, { code: failed.code, message: failed.message });
  assert.equal(failures[0]?.replayed, failures[0]?.recorded);
  await writeFile(author, net(9));
  const mended = await replayRecording({ plugin: author, recording });
  assert.equal(mended.failures, []);
  assert.equal(
    mended.differences.map(({ method, args }) => [method, args[1]]),
    [["createEndpoint", "three"]],
  );
});

test("a crash in between is replayed, by the call that caused it or as a kill", async (t) => {
  const { host, driver, add, exported, author } = await live(t);
  await driver.createNetwork("n", { subnet: "10.7.0" });
  const back = next(host, "plugin:restarted");
  const failed = await rejection(add("crash"));
  await back;
  await add("one");
  const recording = await exported();
  const replayed = await replayRecording({ plugin: author, recording });
  assert.equal(
    replayed.failures.map((one) => one.replayed?.code),
    [failed.code],
    JSON.stringify(replayed),
  );
  assert.equal(replayed.differences, []);
});

test("calls on networks that are older than the recording are skipped; a recording without calls is refused", async (t) => {
  const { home, driver, exported, author } = await live(t);
  await driver.createNetwork("n", { subnet: "10.7.0" });
  const recording = await exported();
  const later = { kind: "call", time: 1, plugin: "net", ms: 1, type: "net", method: "deleteNetwork", args: ["old"] };
  const long = { ...later, method: "createNetwork", args: undefined };
  await writeFile(recording, [later, long].map((one) => `${JSON.stringify(one)}\n`).join(""), { flag: "a" });
  const { calls, skipped } = await replayRecording({ plugin: author, recording });
  assert.equal([calls.length, skipped], [1, 2]);
  await writeFile(home.path("empty.jsonl"), "\n{}\n");
  const refused = await rejection(replayRecording({ plugin: author, recording: home.path("empty.jsonl") }));
  assert.equal([refused.code, /has no calls to plugin "net"/.test(refused.message)], ["ERR_OPTIONS", true]);
});

test("record show: calls and requests of a live host; a plugin's words act on no terminal; wrong use", async (t) => {
  const { home, driver } = await live(t);
  await driver.createNetwork("n\u001b[2J\n", { subnet: "10.7.0\u009b1A" });
  await rejection(driver.deleteNetwork("none"));
  const run = (...args: string[]) => cli(["record", ...args, "--data-dir", home.path("data")]);
  const shown = await until(async () => {
    const ran = await run("show", "net");
    return ran.out.includes("ERR_NETWORK_NOT_FOUND") ? ran : undefined;
  }, "the entries");
  assert.match(shown.out, /^TIME +PLUGIN +WHAT +TOOK +OUTCOME\n/);
  const row = 'net.createNetwork "n\\u001b[2J\\n",{"subnet":"10.7.0\\u{9b}1A"},false';
  assert.ok(shown.out.includes(row), shown.out);
  assert.not(/[^\P{C}\n]/u.test(shown.out));
  const json = await run("show", "--failed", "--last", "1", "--json");
  assert.not(/[^\P{C}\n]/u.test(json.out));
  assert.equal(
    (json.json() as unknown as { entries: { code: string }[] }).entries.map(({ code }) => code),
    ["ERR_NETWORK_NOT_FOUND"],
  );
  assert.is((await run("play")).exit, 2);
  assert.is((await run("show", "--last", "x")).exit, 2);
  for (const what of ["show", "export"]) {
    const odd = await run(what, "no/id");
    assert.equal([odd.exit, odd.err.startsWith('error ERR_USAGE: "no/id" is not a plugin\'s id')], [2, true]);
    const other = await run(what, "nett");
    assert.is(other.exit, 1);
    assert.match(
      other.err,
      /^error ERR_PLUGIN_NOT_FOUND: the recording in .* has nothing of a plugin "nett"; did you mean "net"\?\n$/,
    );
  }
  const none = await cli(["record", "show", "--data-dir", home.path("nothing")]);
  assert.equal([none.exit, /^error ERR_DATA_DIR: .* has no recording/.test(none.err)], [1, true]);
});

test.run();
