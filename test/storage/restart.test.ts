/** A host that ends, however it ends, and another one over its data folder: every kind of record is there again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startHost } from "#dist/host/plugin-host.js";
import { EndpointConfig, JoinConfig, type JsonObject } from "#dist/index.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { cli } from "../cli/cli.js";
import { assert, rejection, suite } from "../harness.js";
import { type House, hear, house, REPO, row, thrown, told } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { plugin, telling } from "../kit/plugins.js";

const test = suite("storage/restart");
const HOST = fileURLToPath(new URL("./host.js", import.meta.url));

/** Says each call in the log, and hangs where its id says so and it was configured to. */
const BOOKS = plugin("a", {
  top: `
let hang = false;
const call = (method, nid, eid, ctx, work = () => {}) => {
  console.log("@" + [method, nid, eid ?? "-", ctx?.replay ? "again" : "first"].join(" "));
  if (!hang || (eid ?? nid) !== "hang-" + method) return work();
  console.log("@hangs");
  return new Promise(() => {});
};`,
  methods: `
    config(options) { hang = options.hang === true; },
    createNetwork: (nid, options, ctx) => call("createNetwork", nid, undefined, ctx),
    deleteNetwork: (nid, ctx) => call("deleteNetwork", nid, undefined, ctx),
    createEndpoint: (nid, eid, info, options, ctx) => call("createEndpoint", nid, eid, ctx, () => {
      if (info.interfaces().length === 0) info.addInterface(0, "", "10.77.0.9/16", "");
    }),
    deleteEndpoint: (nid, eid, ctx) => call("deleteEndpoint", nid, eid, ctx),
    join: (nid, eid, box, info, options, ctx) => call("join", nid, eid, ctx, () => { info.setGateway("10.77.0.1"); }),
    leave: (nid, eid, ctx) => call("leave", nid, eid, ctx),
    programExternalConnectivity: (nid, eid, options, ctx) => call("programExternalConnectivity", nid, eid, ctx),
    revokeExternalConnectivity: (nid, eid, ctx) => call("revokeExternalConnectivity", nid, eid, ctx),`,
});

function calls({ log }: House): readonly string[] {
  return log.flatMap(({ text }) => /@(\w+ \S+ \S+ (?:again|first))/.exec(text)?.[1] ?? []);
}

test("killed with a call of every method in flight: creates are undone, deletes done, the rest replayed", async (t) => {
  const place = await house(t, { "a.js": BOOKS });
  const dataDir = place.path("data");
  const child = spawn(process.execPath, [HOST, place.plugins, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "close");
  const [said] = (await Promise.race([once(child.stdout, "data"), gone])) as [Buffer];
  child.kill("SIGKILL");
  await gone;
  assert.match(String(said), /ready/);

  const shown = (await cli(["state", "--data-dir", dataDir, "--json"])).json() as unknown as {
    journal: { nid: string; eid?: string; join?: true; phase: string }[];
  };
  const open = shown.journal
    .filter(({ phase }) => phase !== "live")
    .map(({ eid, nid, phase }) => `${eid ?? nid} ${phase}`);
  assert.equal(open.sort(), [
    "hang-createEndpoint creating",
    "hang-createNetwork creating",
    "hang-deleteEndpoint deleting",
    "hang-deleteNetwork deleting",
    "hang-join creating",
    "hang-leave deleting",
    "hang-programExternalConnectivity creating",
    "hang-revokeExternalConnectivity deleting",
  ]);

  const host = await place.open({ dataDir });
  const driver = host.driver("a");
  // Asked at once: each waits for what is settled first.
  await driver.createNetwork("hang-createNetwork");
  await driver.createEndpoint("n", "hang-createEndpoint", new EndpointConfig());
  await driver.join("n", "hang-join", "box", new JoinConfig());
  assert.is((await rejection(driver.leave("n", "hang-leave"))).code, "ERR_ENDPOINT_NOT_JOINED");
  assert.is((await rejection(driver.deleteEndpoint("n", "hang-deleteEndpoint"))).code, "ERR_ENDPOINT_NOT_FOUND");
  assert.is((await rejection(driver.deleteNetwork("hang-deleteNetwork"))).code, "ERR_NETWORK_NOT_FOUND");
  assert.is((await rejection(driver.join("n", "e", "box", new JoinConfig()))).code, "ERR_ENDPOINT_JOINED");

  await driver.programExternalConnectivity("n", "hang-programExternalConnectivity");
  await driver.revokeExternalConnectivity("n", "hang-revokeExternalConnectivity");

  const asked = calls(place);
  const at = (text: string): number => asked.indexOf(text);
  for (const text of [
    "createNetwork n - again",
    "createEndpoint n e again",
    "join n e again",
    "programExternalConnectivity n e again",
  ])
    assert.ok(at(text) >= 0, `${text} in ${asked.join("; ")}`);
  for (const [first, then] of [
    ["deleteNetwork hang-createNetwork - first", "createNetwork hang-createNetwork - first"],
    ["deleteEndpoint n hang-createEndpoint first", "createEndpoint n hang-createEndpoint first"],
    ["leave n hang-join first", "join n hang-join first"],
  ] as const)
    assert.ok(at(first) >= 0 && at(first) < at(then), `${first}, then ${then} in ${asked.join("; ")}`);
  for (const text of [
    "revokeExternalConnectivity n hang-programExternalConnectivity first",
    "revokeExternalConnectivity n hang-revokeExternalConnectivity first",
    "leave n hang-leave first",
    "deleteEndpoint n hang-deleteEndpoint first",
    "deleteNetwork hang-deleteNetwork - first",
  ])
    assert.is(asked.filter((one) => one === text).length, 1, text);
});

test("a network that ends its worker stays quarantined over a restart, until its plugin is loaded again", async (t) => {
  const place = await house(t, {
    "a.js": plugin("a", {
      methods: `createNetwork(nid, options, ctx) {
        if (nid !== "bad" || !ctx.replay) return;
        setTimeout(() => { throw new Error("stray"); }, 1);
        return new Promise(() => {});
      }, endpointOperInfo() { setTimeout(() => { throw new Error("stray"); }, 1); return new Promise(() => {}); },`,
    }),
  });
  const dataDir = place.path("data");
  const first = await place.open({ dataDir });
  const driver = first.driver("a");
  await driver.createNetwork("bad");
  await driver.createNetwork("good");
  await driver.createEndpoint("good", "e", new EndpointConfig());
  await rejection(driver.endpointOperInfo("good", "e"));
  // It answers again when the network that ends its worker has been put aside.
  await driver.deleteEndpoint("good", "e");
  await first.close();
  const before = place.log.length;
  const second = await place.open({ dataDir });
  assert.is(row(second, "a").counters.restarts, 0, "no worker is lost on it again");
  const error = await rejection(second.driver("a").createEndpoint("bad", "e", new EndpointConfig()));
  assert.is(error.code, "ERR_REPLAY_FAILED");
  assert.match(error.message, /quarantined/);
  await second.driver("a").createEndpoint("good", "e", new EndpointConfig());
  assert.ok(place.log.length > before);
});

test("networks of a plugin that is gone: NoService, and there again with the plugin", async (t) => {
  const place = await house(t, { "a.js": BOOKS, "b.js": plugin("b") });
  const dataDir = place.path("data");
  const first = await place.open({ dataDir });
  await first.driver("a").createNetwork("n");
  await first.close();
  await place.drop("a.js");
  const second = await place.open({ dataDir });
  const refused = thrown(() => second.driver("a"));
  assert.is(refused.code, "ERR_PLUGIN_UNAVAILABLE");
  assert.is(refused.kind, "NoService");
  assert.is(thrown(() => second.driver("c")).code, "ERR_DRIVER_NOT_FOUND");
  await second.close();
  await place.put({ "a.js": BOOKS });
  const third = await place.open({ dataDir });
  await third.driver("a").deleteNetwork("n");
  await third.close();
  await place.drop("a.js");
  const fourth = await place.open({ dataDir });
  assert.is(thrown(() => fourth.driver("a")).code, "ERR_DRIVER_NOT_FOUND", "nothing of it is left");
});

test("a changed plugin's former bytes serve its networks after a restart; the new ones wait for their grant", async (t) => {
  const version = (n: number): Record<string, string> => ({
    "a/plugin.json": JSON.stringify({ permissions: { log: true, store: { bytes: 1000 * n } } }),
    "a/index.js": telling("a", String(n)),
  });
  const place = await house(t, version(1));
  const dataDir = place.path("data");
  const policy = { plugins: { a: { grant: { log: true, store: { bytes: 1000 } } } } } as const;
  const first = await place.open({ dataDir, policy });
  const { sha256 = "" } = row(first, "a");
  await first.driver("a").createNetwork("kept");
  await first.close();

  await place.put({ "a/index.js": telling("a", "2") });
  const pinned = { plugins: { a: { ...policy.plugins.a, sha256 } } };
  const second = await place.open({ dataDir, policy: pinned });
  const { state, sha256: serving } = row(second, "a");
  assert.equal([state, serving], ["running", sha256]);
  assert.is(await told(second, "a"), 1);
  const words = place.log.map(({ text }) => text).find((one) => one.includes("is not what was granted")) ?? "";
  assert.match(words, /to: bulkhead grant a|then: bulkhead grant a|bulkhead grant a/);
  assert.match(words, new RegExp(`the version it had before, sha256 ${sha256}, serves its networks`));
  // Told by event, as in the run in which it changed.
  const heard = hear(second);
  await rejection(second.reload("a"));
  assert.equal(
    heard.map(({ name }) => name),
    ["plugin:awaiting-grant"],
  );
  await second.driver("a").deleteNetwork("kept");
  await second.close();

  const third = await place.open({ dataDir, policy: pinned });
  assert.is(row(third, "a").state, "awaiting-grant", "without networks there is nothing to serve");
});

test("former bytes do not serve beyond what the policy grants now", async (t) => {
  const asks = { scope: "global", permissions: { log: true } };
  const place = await house(t, { "a/plugin.json": JSON.stringify(asks), "a/index.js": telling("a", "1") });
  const dataDir = place.path("data");
  const granted = (scope: "global" | "local") => ({ plugins: { a: { grant: { scope, log: true as const } } } });
  const first = await place.open({ dataDir, policy: granted("global") });
  await first.driver("a").createNetwork("kept");
  await first.close();
  const second = await place.open({ dataDir, policy: granted("local") });
  assert.is(row(second, "a").state, "awaiting-grant");
  assert.is(thrown(() => second.driver("a")).code, "ERR_PLUGIN_UNAVAILABLE");
});

test("what a plugin has stored is there; a second host on the folder is refused; a host that failed lets go of it", async (t) => {
  const place = await house(t, {
    "a.js": telling("a", `await powers.store.get("k")`).replace(
      "export async function init(callback, powers) {",
      "export async function init(callback, powers) { if (await powers.store.get('k') === null) await powers.store.set('k', { v: 7 }); else await powers.store.set('k', { v: 8 });",
    ),
  });
  const dataDir = place.path("data");
  const first = await place.open({ dataDir });
  assert.equal(await told(first, "a"), { v: 7 });
  const error = await rejection(place.open({ dataDir }));
  assert.is(error.code, "ERR_DATA_LOCKED");
  assert.ok(error.message.includes(dataDir) && error.message.includes(String(process.pid)), error.message);
  const shown = await cli(["state", "--data-dir", dataDir]);
  assert.match(shown.out, /a host runs on it[\s\S]*store of a: 1 key/);
  for (const [folder, words] of [
    [place.path("nowhere"), /nowhere cannot be used: it does not exist; name the folder with --data-dir/],
    [place.path("data/log.000001"), /log\.000001 cannot be used: it is not a folder; name the folder/],
    [place.path("."), /cannot be used: it holds no state/],
  ] as const) {
    const none = await cli(["state", "--data-dir", folder]);
    assert.is(none.exit, 1);
    assert.match(none.err, words);
  }
  const file = place.path("export.json");
  assert.is((await cli(["state", "--data-dir", dataDir, "--export", file])).exit, 0);
  const twice = await cli(["state", "--data-dir", dataDir, "--export", file]);
  assert.is(twice.exit, 1);
  assert.match(twice.err, /ERR_OPTIONS: --export .*export\.json: it exists already/);
  await first.close();
  const second = await place.open({ dataDir });
  assert.equal(await told(second, "a"), { v: 8 });
});

test("after the machine's own restart, networks are replayed, joins and programmed connectivity are dropped", async (t) => {
  const place = await house(t, { "a.js": BOOKS });
  const dataDir = place.path("data");
  const first = await place.open({ dataDir });
  await first.driver("a").createNetwork("n");
  await first.driver("a").createEndpoint("n", "e", new EndpointConfig());
  await first.driver("a").join("n", "e", "box", new JoinConfig());
  await first.driver("a").programExternalConnectivity("n", "e", { port: 80 });
  await first.close();
  const file = await StateFile.open(statePaths(dataDir), "");
  await file.put("meta", BOOT_KEY, JSON.stringify("another run of the machine"));
  await file.close();
  const shown = (await cli(["state", "--data-dir", dataDir])).out;
  assert.match(shown, /ENDPOINTS +JOINS +PROGRAMMED\n.* 1 +1 +1\n/);
  const second = await place.open({ dataDir });
  assert.equal(
    calls(place).filter((one) => one.endsWith("again")),
    ["createNetwork n - again", "createEndpoint n e again"],
  );
  await second.driver("a").join("n", "e", "box", new JoinConfig());
});

test("links outlive the host; those that are gone meanwhile are reported and recreated", async (t) => {
  const place = await house(t);
  await cp(join(REPO, "plugins", "bridge"), join(place.plugins, "bridge"), { recursive: true });
  await rm(join(place.plugins, "bridge", "node_modules"), { recursive: true, force: true });
  const dataDir = place.path("data");
  const warned: string[] = [];
  const logger = { ...SILENT, warn: (_: object, text = "") => void warned.push(text) };
  const policy = {
    plugins: {
      bridge: {
        grant: {
          scope: "local",
          netlink: { kinds: ["bridge", "veth"], prefix: "bh", max: 64, subnets: ["10.64.0.0/10"] },
        },
      },
    },
  };
  const open = async () => {
    const host = await startHost(
      { plugins: place.plugins, dataDir, backend: "model", policy: policy as never, logger },
      { threads: new ThreadLauncher({ spares: 0 }) },
    );
    t.cleanup(() => host.close());
    return host;
  };
  const options = { "com.docker.network.generic": { subnet: "10.64.1.0/24" } } as unknown as JsonObject;
  const first = await open();
  assert.equal(row(first, "bridge").refusal?.message, undefined);
  await first.driver("bridge").createNetwork("n", options);
  await first.close();
  // A model ends with its host: to the next one, the bridge has vanished.
  const second = await open();
  assert.ok(
    warned.some((text) => /1 link\(s\) are recorded and gone/.test(text)),
    warned.join("; "),
  );
  await second.driver("bridge").createEndpoint("n", "e", new EndpointConfig());
  await second.driver("bridge").deleteEndpoint("n", "e");
  await second.driver("bridge").deleteNetwork("n");
  await second.close();
  const held = (await cli(["state", "--data-dir", dataDir, "--json"])).json() as unknown as {
    links: unknown[];
    journal: unknown[];
  };
  assert.equal([held.links, held.journal], [[], []]);
});

test.run();
