/** What a host writes into its audit log: who, which bytes, what, why. */
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, type PluginHost } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { type House, house, next, row } from "../../kit/host.js";
import { driver, plugin } from "../../kit/plugins.js";
import { type Line, linesOf } from "./lines.js";

const test = suite("host/audit: a host's");

interface Audited {
  readonly place: House;
  readonly host: PluginHost;
  /** Closes the host, and gives what it has written. */
  lines(): Promise<readonly Line[]>;
}

async function audited(t: TestContext, files: Record<string, string>, policy: unknown = {}): Promise<Audited> {
  const place = await house(t, files);
  const file = place.path("policy.json");
  await writeFile(file, JSON.stringify(policy));
  const dataDir = place.path("data");
  const host = await place.open({ dataDir, policy: file });
  return {
    place,
    host,
    async lines() {
      await host.close();
      return linesOf(join(dataDir, "audit.jsonl"));
    },
  };
}

/** Without time. */
function plain(lines: readonly Line[]): unknown[] {
  return lines.map(({ time: _, ...rest }) => rest);
}

test("no data folder: no file, and nothing else is different", async (t) => {
  const place = await house(t, { "a.js": "" });
  const host = await place.open();
  assert.is(row(host, "a").state, "refused");
  await host.close();
  assert.equal(await readdir(place.path(".")), ["plugins"]);
});

test("nothing to tell: no file", async (t) => {
  const place = await house(t, { "a.js": plugin("a") });
  const host = await place.open({ dataDir: place.path("data") });
  await host.reload("a");
  await host.unload("a");
  await host.close();
  assert.is(await stat(place.path("data/audit.jsonl")).catch(() => "absent"), "absent");
});

test("refused, awaiting-grant: with the message, and the sha256 as far as it is known", async (t) => {
  const { host, lines } = await audited(
    t,
    {
      "a.js": "export const = 1;",
      "b.js": "export function init() { throw new Error('mine'); }",
      "c.js": plugin("c"),
      "c.plugin.json": '{"scope": "global"}',
      "d.js": plugin("d"),
    },
    { plugins: { d: { sha256: "0".repeat(64) } } },
  );
  const refusals = ["a", "b", "c", "d"].map((id) => row(host, id).refusal);
  const found = [...(await lines())].sort((x, y) => (String(x.plugin) < String(y.plugin) ? -1 : 1));
  assert.equal(
    found.map(({ plugin: id, event, code, detail }) => [id, event, code, detail]),
    [
      ["a", "refused", "ERR_PLUGIN_SYNTAX", refusals[0]?.message],
      ["b", "refused", "ERR_PLUGIN_INIT", refusals[1]?.message],
      ["c", "awaiting-grant", "ERR_GRANT_MISSING", refusals[2]?.message],
      ["d", "awaiting-grant", "ERR_PLUGIN_CHANGED", refusals[3]?.message],
    ],
  );
  const [a, b, c, d] = found.map(({ sha256 }) => sha256);
  assert.equal([a, c], [null, null]);
  assert.is(b, row(host, "b").sha256);
  assert.match(refusals[3]?.message ?? "", `its sha256 is ${d},`);
});

test("timeout: which call, and whether the worker was blocked; its end and its restart", async (t) => {
  const { host, lines } = await audited(
    t,
    {
      "a.js": plugin("a", {
        methods: `createNetwork(nid, _, ctx) {
          if (nid === "blocked") for (;;);
          if (nid === "sl\\now") return new Promise((done) => ctx.signal.addEventListener("abort", done));
        },`,
      }),
    },
    { defaults: { timeouts: { default: 150 } } },
  );
  const sha256 = row(host, "a").sha256;
  const restarted = next(host, "plugin:restarted");
  await rejection(host.driver("a").createNetwork("sl\now"));
  await rejection(host.driver("a").createNetwork("blocked"));
  const { reason } = await restarted;
  const common = { plugin: "a", sha256 };
  const code = "ERR_DRIVER_TIMEOUT";
  // The worker may be ended a moment before its call's own timer.
  const found = [...(await lines())].sort((x, y) => Number(x.event !== "timeout") - Number(y.event !== "timeout"));
  assert.equal(plain(found), [
    { ...common, event: "timeout", code, detail: String.raw`a.createNetwork("sl\now"): 150 ms` },
    { ...common, event: "timeout", code, detail: 'a.createNetwork("blocked"): 150 ms, its worker is blocked' },
    { ...common, event: "killed", code: "ERR_PLUGIN_BLOCKED", detail: reason },
    { ...common, event: "restarted", code: "ERR_PLUGIN_BLOCKED", detail: reason },
  ]);
});

test("crashed, restarted, network-lost; then breaker-open", async (t) => {
  const { host, lines } = await audited(t, {
    "a.js": plugin("a", {
      methods: `createNetwork(nid, _, ctx) {
        if (ctx.replay) throw new Error("not again");
        if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); }
      },`,
    }),
  });
  const served = host.driver("a");
  await served.createNetwork("kept");
  const unavailable = next(host, "plugin:unavailable");
  let down = false;
  void unavailable.then(() => {
    down = true;
  });
  while (!down) await rejection(served.createNetwork("crash"));
  const reason = "an unhandled rejection: Error: stray (a.js:7)";
  const found = await lines();
  assert.equal(
    found.slice(0, 3).map(({ event, code }) => [event, code]),
    [
      ["crashed", "ERR_PLUGIN_CRASHED"],
      ["network-lost", "ERR_REPLAY_FAILED"],
      ["restarted", "ERR_PLUGIN_CRASHED"],
    ],
  );
  assert.match(found[0]?.detail ?? "", reason.slice(0, 40));
  assert.match(found[1]?.detail ?? "", "kept");
  const last = found.filter(({ event }) => event !== "network-lost").at(-1);
  assert.equal([last?.event, last?.code], ["breaker-open", "ERR_PLUGIN_CRASHED"]);
  assert.match(last?.detail ?? "", /^plugin "a" is not in service: it ended too often/);
  assert.ok(found.every(({ sha256 }) => sha256 === row(host, "a").sha256));
});

test("violation and killed, driver-refused; a restart that fails", async (t) => {
  const { host, lines } = await audited(t, {
    "a.js": plugin("a", {
      start: "if (await powers.store.get('ended')) throw new Error('not again');",
      methods: `createNetwork: async () => {
        await powers.store.set("ended", 1);
        await Promise.allSettled(Array.from({ length: 80 }, () => callback.registerDriver("b", ${driver("b")}, { scope: "local" })));
      },`,
    }),
  });
  const unavailable = next(host, "plugin:unavailable");
  await rejection(host.driver("a").createNetwork("n"));
  await unavailable;
  const found = await lines();
  const count = (event: string): number => found.filter((line) => line.event === event).length;
  // Sixty a minute of what a plugin can cause at will; the rest is counted.
  assert.is(count("driver-refused"), 60);
  const [refused] = found;
  assert.equal([refused?.event, refused?.code], ["driver-refused", "ERR_TYPE_NOT_DECLARED"]);
  assert.match(found.find(({ event }) => event === "dropped")?.detail ?? "", /^dropped: 5 driver-refused;/);
  assert.equal([count("violation"), count("killed"), count("restart-failed"), count("breaker-open")], [1, 1, 4, 1]);
  assert.is(found.find(({ event }) => event === "violation")?.code, "ERR_FLOOD");
  assert.match(found.find(({ event }) => event === "restart-failed")?.detail ?? "", "init threw: Error: not again");
});

test("request-refused: a power said no; reply-refused: the contract did", async (t) => {
  const { host, lines } = await audited(
    t,
    {
      "a.js": plugin("a", {
        methods: `
          createNetwork: () => powers.store.set("k", "x".repeat(100)).catch(() => {}),
          endpointOperInfo: () => 7,`,
      }),
    },
    { plugins: { a: { grant: { store: { bytes: 50 } } } } },
  );
  const served = host.driver("a");
  await served.createNetwork("n");
  await served.createEndpoint("n", "e", new EndpointConfig());
  const refused = await rejection(served.endpointOperInfo("n", "e"));
  assert.is(refused.code, "ERR_DRIVER_REPLY");
  const common = { plugin: "a", sha256: row(host, "a").sha256 };
  assert.equal(plain(await lines()), [
    {
      ...common,
      event: "request-refused",
      code: "ERR_PERMISSION_LIMIT",
      detail: 'the store of plugin "a" would hold 103 bytes of 50; delete some, or have grant.store raised',
    },
    { ...common, event: "reply-refused", code: "ERR_DRIVER_REPLY", detail: refused.message },
  ]);
});

test("grant-changed: what was added, removed, raised and lowered; not what stays", async (t) => {
  const { place, host, lines } = await audited(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const policy = async (plugins: unknown, defaults: unknown = {}): Promise<void> => {
    await writeFile(place.path("policy.json"), JSON.stringify({ plugins, defaults }));
    await host.reload("a");
    await host.reload("b");
  };
  await policy({ a: { grant: { log: true, store: { bytes: 10 } } } });
  await policy({ a: { grant: { log: true, store: { bytes: 10 } }, options: { a: { x: 1 } } } });
  const { sha256 } = row(host, "a");
  await policy({ a: { grant: { log: { lineChars: 100 }, store: { bytes: 20 } }, sha256, limits: { memoryMb: 16 } } });
  await policy({ a: { grant: { scope: "global", log: { lineChars: 100 } } } }, { timeouts: { default: 9000 } });
  const common = { event: "grant-changed", code: null };
  const b = row(host, "b").sha256;
  assert.equal(plain(await lines()), [
    { ...common, plugin: "a", sha256, detail: "store.bytes 65536 → 10, -timers, -clock, -random" },
    {
      ...common,
      plugin: "a",
      sha256,
      detail: `log.lineChars 4096 → 100, store.bytes 10 → 20, limits.memoryMb 32 → 16, sha256 none → ${sha256}`,
    },
    {
      ...common,
      plugin: "a",
      sha256,
      detail: `scope "local" → "global", -store, limits.memoryMb 16 → 32, timeouts.default 5000 → 9000, sha256 ${sha256} → none`,
    },
    { ...common, plugin: "b", sha256: b, detail: "timeouts.default 5000 → 9000" },
  ]);
});

test("wall-weakened, once for the host; aborted, for its process and for each plugin that was in it", async (t) => {
  const place = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const dataDir = place.path("data");
  const host = await place.open({ isolation: "process", policy: { sandbox: "node" }, dataDir });
  const restarted = Promise.all(["a", "b"].map((id) => next(host, "plugin:restarted", (event) => event.plugin === id)));
  const { pid } = row(host, "a");
  assert.is(row(host, "b").pid, pid);
  assert.type(pid, "number");
  process.kill(pid as number, "SIGKILL");
  await restarted;
  await host.close();
  const found = await linesOf(join(dataDir, "audit.jsonl"));
  const sorted = found.map(({ event, plugin: id, code }) => [event, id, code].join(" ")).sort();
  assert.equal(sorted, [
    "aborted  ERR_HOST_PROCESS",
    "aborted a ERR_HOST_PROCESS",
    "aborted b ERR_HOST_PROCESS",
    "restarted a ERR_HOST_PROCESS",
    "restarted b ERR_HOST_PROCESS",
    "wall-weakened  ",
  ]);
  assert.match(found[0]?.detail ?? "", /^the wall is weakened: host processes run without bubblewrap/);
});

test("a log that cannot be written: the host runs as it would without, and says so once", async (t) => {
  const place = await house(t, { "a.js": "", "b.js": plugin("b") });
  await mkdir(place.path("data/audit.jsonl"), { recursive: true });
  const host = await place.open({ dataDir: place.path("data") });
  await rejection(host.reload("a"));
  assert.is(row(host, "b").state, "running");
  await host.close();
  assert.is(place.log.filter(({ text }) => text.includes("cannot be written")).length, 1);
});

test.run();
