/** Every event, with exactly the keys it is said to have; and listeners that throw. */
import { writeFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { hear, house, next } from "../../kit/host.js";
import { driver, plugin } from "../../kit/plugins.js";

const test = suite("host: events");

const STRAY = `createNetwork(nid) { if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); } },`;

test("plugin:loaded, driver:registered: a first load, then a reload", async (t) => {
  const place = await house(t);
  const host = await place.open();
  await place.put({ "a.js": plugin("a") });
  const heard = hear(host);
  await host.reload("a");
  await host.reload("a");
  assert.equal(heard, [
    { name: "driver:registered", event: { plugin: "a", type: "a", scope: "local" } },
    { name: "plugin:loaded", event: { plugin: "a" } },
    { name: "plugin:loaded", event: { plugin: "a" } },
  ]);
});

test("plugin:refused and plugin:awaiting-grant: plugin, code, reason", async (t) => {
  const place = await house(t);
  const host = await place.open();
  await place.put({ "a.js": "", "b.js": plugin("b"), "b.plugin.json": '{ "scope": "global" }' });
  const heard = hear(host);
  const a = await rejection(host.reload("a"));
  const b = await rejection(host.reload("b"));
  assert.equal(heard, [
    { name: "plugin:refused", event: { plugin: "a", code: "ERR_PLUGIN_FILE", reason: a.message } },
    { name: "plugin:awaiting-grant", event: { plugin: "b", code: "ERR_GRANT_MISSING", reason: b.message } },
  ]);
});

test("plugin:restarting and plugin:restarted: plugin, code, reason", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: STRAY }) });
  const host = await open();
  const heard = hear(host);
  const restarted = next(host, "plugin:restarted");
  await rejection(host.driver("a").createNetwork("crash"));
  await restarted;
  const rest = { plugin: "a", code: "ERR_PLUGIN_CRASHED", reason: "an unhandled rejection: Error: stray (a.js:7)" };
  assert.equal(heard, [
    { name: "plugin:restarting", event: rest },
    { name: "plugin:restarted", event: rest },
  ]);
});

test("plugin:unavailable: plugin, code, reason", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a", { methods: STRAY }) });
  const host = await open();
  const unavailable = next(host, "plugin:unavailable");
  let down = false;
  void unavailable.then(() => {
    down = true;
  });
  while (!down)
    await host
      .driver("a")
      .createNetwork("crash")
      .catch(() => {});
  const event = await unavailable;
  assert.equal(Object.keys(event), ["plugin", "code", "reason"]);
  assert.equal([event.plugin, event.code], ["a", "ERR_PLUGIN_CRASHED"]);
});

test("plugin:stopped and driver:unregistered", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  const heard = hear(host);
  await host.unload("a");
  assert.equal(heard, [
    { name: "driver:unregistered", event: { plugin: "a", type: "a", scope: "local" } },
    { name: "plugin:stopped", event: { plugin: "a", reason: "unloaded" } },
  ]);
});

test("driver:refused: plugin, type, code", async (t) => {
  const place = await house(t, { "a.js": plugin("a") });
  const host = await place.open();
  const heard = hear(host);
  await place.put({
    "a.js": plugin("a", {
      end: `await callback.registerDriver("b", ${driver("b")}, { scope: "local" }).catch(() => {});`,
    }),
  });
  await host.reload("a");
  assert.equal(heard, [
    { name: "driver:refused", event: { plugin: "a", type: "b", code: "ERR_TYPE_NOT_DECLARED" } },
    { name: "plugin:loaded", event: { plugin: "a" } },
  ]);
});

test("call:timeout: slow is told from blocked; ids only where the call has them", async (t) => {
  // A driver that gives up when it is told to, so that its worker lives on.
  const untilAborted = "new Promise((done) => ctx.signal.addEventListener('abort', done))";
  const { open } = await house(t, {
    "a.js": plugin("a", {
      methods: `
        createNetwork(nid, _options, ctx) { if (nid === "slow") return ${untilAborted}; if (nid === "blocked") for (;;); },
        createEndpoint: (_nid, _eid, _info, _options, ctx) => ${untilAborted},`,
    }),
    "b.js": plugin("b", { methods: "config({ slow }) { if (slow) return new Promise(() => {}); }," }),
  });
  const host = await open({ policy: { defaults: { timeouts: { default: 150 } } } });
  const served = host.driver("a");
  await served.createNetwork("n");
  const heard = hear(host);
  for (const call of [
    () => host.driver("b").config({ slow: true }),
    () => served.createNetwork("slow"),
    () => served.createEndpoint("n", "e", new EndpointConfig()),
    () => served.createNetwork("blocked"),
  ]) {
    assert.is((await rejection(call())).code, "ERR_DRIVER_TIMEOUT");
  }
  const timeouts = heard.filter(({ name }) => name === "call:timeout").map(({ event }) => event);
  const common = { plugin: "a", type: "a", ms: 150 };
  assert.equal(timeouts, [
    { plugin: "b", type: "b", ms: 150, method: "config", blocked: false },
    { ...common, method: "createNetwork", nid: "slow", blocked: false },
    { ...common, method: "createEndpoint", nid: "n", eid: "e", blocked: false },
    { ...common, method: "createNetwork", nid: "blocked", blocked: true },
  ]);
});

test("violation: plugin, code, detail; counted, and the worker is ended", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", {
      methods: `createNetwork: async () => {
        await Promise.allSettled(Array.from({ length: 80 }, () => callback.registerDriver("b", ${driver("b")}, { scope: "local" })));
      },`,
    }),
  });
  const host = await open();
  const heard = hear(host);
  const violation = next(host, "violation");
  const restarted = next(host, "plugin:restarted");
  await rejection(host.driver("a").createNetwork("n"));
  const event = await violation;
  assert.equal(Object.keys(event), ["plugin", "code", "detail"]);
  assert.equal([event.plugin, event.code], ["a", "ERR_FLOOD"]);
  await restarted;
  assert.is(host.plugins()[0]?.counters.violations, 1);
  assert.is(heard.filter(({ name }) => name === "violation").length, 1);
});

test("a listener that throws or rejects is logged, and stops neither the others nor the host", async (t) => {
  const place = await house(t, { "a.js": plugin("a") });
  const host = await place.open();
  const seen: string[] = [];
  host.on("plugin:loaded", () => {
    throw new Error("mine");
  });
  host.on("plugin:loaded", async () => {
    throw new Error("mine too");
  });
  host.on("plugin:loaded", ({ plugin }) => void seen.push(plugin));
  await host.reload("a");
  assert.equal(seen, ["a"]);
  const lines = place.log.filter(({ text }) => text === 'a listener of "plugin:loaded" threw');
  assert.is(lines.length, 2);
  await host.driver("a").createNetwork("n");
});

test("once and off; events are frozen; none come after close", async (t) => {
  const place = await house(t, { "a.js": plugin("a") });
  const policy = place.path("p.json");
  await writeFile(policy, "{}");
  const host = await place.open({ policy });
  let once = 0;
  let off = 0;
  let frozen = false;
  const listener = (): void => void off++;
  host.once("plugin:loaded", () => void once++);
  host.on("plugin:loaded", listener).off("plugin:loaded", listener);
  host.on("plugin:loaded", (event) => {
    frozen = Object.isFrozen(event);
  });
  await host.reload("a");
  await host.reload("a");
  assert.equal([once, off, frozen], [1, 0, true]);
  const heard = hear(host);
  await host.close();
  assert.equal(heard, []);
});

test("a listener that was heard once, or taken off, is let go", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let heard = 0;
  const listen = (): WeakRef<object>[] => {
    const once = (): void => void heard++;
    const on = (): void => void heard++;
    host.once("plugin:stopped", once);
    host.on("plugin:stopped", on);
    host.off("plugin:stopped", on);
    return [new WeakRef(once), new WeakRef(on)];
  };
  const listeners = listen();
  await host.unload("a");
  assert.is(heard, 1);
  await until(() => {
    collect();
    return listeners.every((one) => one.deref() === undefined);
  }, "the listeners are let go");
});

test("a listener that is not a function is refused at once", async (t) => {
  const { open } = await house(t);
  const host = await open();
  for (const listen of ["on", "once"] as const)
    assert.throws(
      () => host[listen]("plugin:loaded", undefined as never),
      (error: unknown) => error instanceof TypeError && /"plugin:loaded" is not a function/.test(error.message),
    );
});

test.run();
