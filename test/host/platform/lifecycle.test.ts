/** Unload, reload, states and counters; and the driver object that outlives all of it. */
import { DRIVER_METHODS, EndpointConfig, JoinConfig, OPTIONAL_DRIVER_METHODS } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { hear, house, next, row, thrown, told } from "../../kit/host.js";
import { plugin, telling } from "../../kit/plugins.js";

const test = suite("host: lifecycle");

/** A driver whose createNetwork, for the network "crash", ends its worker. */
const FRAGILE = `createNetwork(nid) { if (nid === "crash") Promise.reject(new Error("stray")); return new Promise((done) =>
  nid === "crash" ? 0 : done()); },`;

test("host.driver: synchronous; a type never registered, and one that is not a string", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  for (const type of ["b", "__proto__", "constructor", "", 7, undefined, null, {}]) {
    const error = thrown(() => host.driver(type as string));
    assert.equal([error.code, error.kind], ["ERR_DRIVER_NOT_FOUND", "NotFound"]);
  }
  assert.match(thrown(() => host.driver("b")).message, /no driver of type "b" is registered \(registered: a\)/);
});

test("type() is a string, answered without the plugin", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: "createNetwork() { for (;;); }," }) });
  const host = await open({ policy: { plugins: { a: { timeouts: { createNetwork: 300 } } } } });
  const driver = host.driver("a");
  const blocked = rejection(driver.createNetwork("n"));
  assert.is(driver.type(), "a");
  assert.is((await blocked).code, "ERR_DRIVER_TIMEOUT");
});

test("the driver object: the nine methods and the two optional ones, promises but for type, options default to {}", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", {
      start: "const seen = [];",
      methods: `config: (o) => { seen.push(o) }, createNetwork: (_n, o) => { seen.push(o) },
        createEndpoint: (_n, _e, _i, o) => { seen.push(o) }, join: (_n, _e, _s, _j, o) => { seen.push(o) },
        endpointOperInfo: () => ({ seen }),`,
    }),
  });
  const host = await open();
  const driver = host.driver("a");
  assert.equal(Object.keys(driver).sort(), [...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS].sort());
  assert.ok(Object.isFrozen(driver));
  for (const promise of [
    driver.config(),
    driver.createNetwork("n"),
    driver.createEndpoint("n", "e", new EndpointConfig()),
    driver.join("n", "e", "/s", new JoinConfig()),
  ]) {
    assert.instance(promise, Promise);
    await promise;
  }
  assert.equal(await driver.endpointOperInfo("n", "e"), { seen: [{}, {}, {}, {}, {}] });
});

test("a call that is aborted", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: "createNetwork: () => new Promise(() => {})," }) });
  const host = await open();
  const driver = host.driver("a");
  assert.is((await rejection(driver.createNetwork("n", {}, { signal: AbortSignal.abort() }))).code, "ERR_CALL_ABORTED");
  const stop = new AbortController();
  const call = rejection(driver.createNetwork("n", {}, { signal: stop.signal }));
  stop.abort();
  assert.is((await call).code, "ERR_CALL_ABORTED");
});

test("the object survives a restart: calls wait for the next worker", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: FRAGILE }) });
  const host = await open();
  const driver = host.driver("a");
  await driver.createNetwork("before");
  const restarted = next(host, "plugin:restarted");
  const lost = rejection(driver.createNetwork("crash"));
  assert.is((await lost).code, "ERR_OUTCOME_UNKNOWN");
  const waiting = driver.createNetwork("after");
  await restarted;
  await waiting;
  assert.is(host.driver("a"), driver);
  await driver.deleteNetwork("before");
  assert.is(row(host, "a").counters.restarts, 1);
});

test("a call waits for the next worker until its deadline, and no longer", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", {
      // The second worker takes its time.
      start: `if (await powers.store.get("again")) await new Promise((done) => setTimeout(done, 1500)); await powers.store.set("again", true);`,
      methods: FRAGILE,
    }),
  });
  const host = await open({ policy: { plugins: { a: { timeouts: { deleteNetwork: 250 } } } } });
  const driver = host.driver("a");
  await driver.createNetwork("n");
  const restarting = next(host, "plugin:restarting");
  const restarted = next(host, "plugin:restarted");
  await rejection(driver.createNetwork("crash"));
  await restarting;
  const at = performance.now();
  const late = await rejection(driver.deleteNetwork("n"));
  const waited = performance.now() - at;
  assert.equal([late.code, late.kind], ["ERR_DRIVER_TIMEOUT", "Timeout"]);
  assert.is(row(host, "a").state, "restarting");
  assert.ok(waited >= 245, `${waited} ms`);
  await restarted;
  await driver.deleteNetwork("n");
});

test("the object survives a reload, and the networks do", async (t) => {
  const place = await house(t, { "a.js": telling("a", "1") });
  const host = await place.open();
  const driver = host.driver("a");
  await driver.createNetwork("n");
  await driver.createEndpoint("n", "e", new EndpointConfig());
  await place.put({ "a.js": telling("a", "2") });
  await host.reload("a");
  assert.is(host.driver("a"), driver);
  assert.equal(await driver.endpointOperInfo("n", "e"), { told: 2 });
  assert.is((await rejection(driver.createNetwork("n"))).code, "ERR_NETWORK_EXISTS");
});

test("unload with networks: ERR_PLUGIN_IN_USE names them; without: stopped; the object is dead until it is back", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  const driver = host.driver("a");
  await driver.createNetwork("one");
  await driver.createNetwork("two");
  const error = await rejection(host.unload("a"));
  assert.equal([error.code, error.kind, error.plugin], ["ERR_PLUGIN_IN_USE", "Forbidden", "a"]);
  assert.match(error.message, /plugin "a" has 2 network\(s\).*one.*two/);
  assert.is(row(host, "a").state, "running");
  await driver.deleteNetwork("one");
  await driver.deleteNetwork("two");
  await host.unload("a");
  assert.is(row(host, "a").state, "stopped");
  assert.is(thrown(() => host.driver("a")).code, "ERR_DRIVER_NOT_FOUND");
  assert.is((await rejection(driver.createNetwork("n"))).code, "ERR_DRIVER_NOT_FOUND");
  assert.is(driver.type(), "a");
  await host.reload("a");
  assert.is(host.driver("a"), driver);
  await driver.createNetwork("n");
});

test("unload and reload of a plugin there is not", async (t) => {
  const { open } = await house(t);
  const host = await open();
  assert.is((await rejection(host.unload("x"))).code, "ERR_PLUGIN_NOT_FOUND");
  assert.is((await rejection(host.reload("x"))).code, "ERR_PLUGIN_NOT_FOUND");
  assert.is((await rejection(host.reload("__proto__"))).code, "ERR_PLUGIN_NOT_FOUND");
});

test("a reload to a broken version rejects with why, and the old one serves", async (t) => {
  const place = await house(t, { "a.js": telling("a", "1") });
  const host = await place.open();
  await place.put({ "a.js": "export function init() { throw new Error('worse') }" });
  const error = await rejection(host.reload("a"));
  assert.is(error.code, "ERR_PLUGIN_INIT");
  assert.match(error.message, /worse \(a\.js:1\)/);
  assert.equal([row(host, "a").state, await told(host, "a")], ["running", 1]);
});

test("a new version that registers other types: the old type goes, if it has no networks", async (t) => {
  const types = '{ "networkTypes": ["a", "b"] }';
  const place = await house(t, { "a.js": plugin("a"), "a.plugin.json": types });
  const host = await place.open();
  await host.driver("a").createNetwork("n");
  await place.put({ "a.js": plugin("b") });
  assert.is((await rejection(host.reload("a"))).code, "ERR_PLUGIN_IN_USE");
  assert.equal(row(host, "a").drivers, ["a"]);
  await host.driver("a").deleteNetwork("n");
  const heard = hear(host);
  await host.reload("a");
  assert.equal(row(host, "a").drivers, ["b"]);
  assert.equal(
    heard.map(({ name, event }) => [name, event.type ?? event.plugin]),
    [
      ["driver:registered", "b"],
      ["driver:unregistered", "a"],
      ["plugin:loaded", "a"],
    ],
  );
});

test("reloads at the same time end one after the other", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const host = await open();
  await host.driver("a").createNetwork("n");
  await Promise.all([host.reload("a"), host.reload("a"), host.reload("b"), host.driver("a").createNetwork("m")]);
  await host.driver("a").deleteNetwork("n");
  await host.driver("a").deleteNetwork("m");
  assert.equal(
    host.plugins().map(({ state }) => state),
    ["running", "running"],
  );
});

test("states: running, refused, awaiting-grant, stopped; restarting, then unavailable, while it crashes on", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", { methods: FRAGILE }),
    "b.js": "nonsense(",
    "c.js": plugin("c"),
    "c.plugin.json": '{ "scope": "global" }',
    "d.js": plugin("d"),
  });
  const host = await open();
  await host.unload("d");
  const states = (): string[] => host.plugins().map(({ state }) => state);
  assert.equal(states(), ["running", "refused", "awaiting-grant", "stopped"]);
  const driver = host.driver("a");
  const unavailable = next(host, "plugin:unavailable");
  const seen: string[] = [];
  host.on("plugin:restarting", () => seen.push(row(host, "a").state));
  let down = false;
  void unavailable.then(() => {
    down = true;
  });
  while (!down) await driver.createNetwork("crash").catch(() => {});
  assert.is(states()[0], "unavailable");
  assert.ok(seen.length >= 5 && seen.every((state) => state === "restarting"));
  const at = performance.now();
  const refused = await rejection(driver.createNetwork("n"));
  assert.equal([refused.code, refused.kind], ["ERR_PLUGIN_UNAVAILABLE", "NoService"]);
  assert.ok(performance.now() - at < 1000, "at once");
  assert.is(row(host, "a").refusal?.code, "ERR_PLUGIN_UNAVAILABLE");
  await host.reload("a");
  assert.is(states()[0], "running");
  await driver.createNetwork("n");
});

test("states: loading until the platform has taken its driver, the first time and after a stop", async (t) => {
  const place = await house(t);
  let asked: (take: () => void) => void = () => {};
  const registerDriver = (): Promise<void> => new Promise((take) => asked(take));
  const host = await place.open({ callback: { registerDriver } });
  await place.put({ "a.js": plugin("a") });
  for (const _time of ["first", "again"]) {
    const waits = new Promise<() => void>((resolve) => {
      asked = resolve;
    });
    const loaded = host.reload("a");
    loaded.catch(() => {});
    const take = await waits;
    assert.equal([row(host, "a").state, row(host, "a").refusal], ["loading", undefined]);
    take();
    await loaded;
    assert.is(row(host, "a").state, "running");
    await host.unload("a");
    assert.is(row(host, "a").state, "stopped");
  }
});

test("counters: calls, errors, timeouts, restarts", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", {
      methods: `createNetwork(nid) {
        if (nid === "no") throw new Error("no");
        if (nid === "slow") return new Promise(() => {});
        if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); }
      },`,
    }),
  });
  const host = await open({ policy: { plugins: { a: { timeouts: { createNetwork: 200 } } } } });
  const driver = host.driver("a");
  const zero = { calls: 0, errors: 0, timeouts: 0, restarts: 0, violations: 0 };
  const { latency: _, cpuMs: __, memoryMb: ___, ...counted } = row(host, "a").counters;
  assert.equal(counted, zero);
  await driver.createNetwork("yes");
  await rejection(driver.createNetwork("no"));
  await rejection(driver.createNetwork("yes"));
  await rejection(driver.createNetwork("slow"));
  const before = row(host, "a").counters;
  assert.equal([before.calls, before.errors, before.timeouts, before.restarts], [4, 3, 1, 0]);
  const restarted = next(host, "plugin:restarted");
  await rejection(driver.createNetwork("crash"));
  await restarted;
  assert.is(row(host, "a").counters.restarts, 1);
  assert.is(before.restarts, 0, "a row is a snapshot");
});

test.run();
