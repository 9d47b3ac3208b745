/** Blocking outside the synchronous part of a driver method: timers, microtasks, continuations, finally, cancel listeners, init. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPluginHost } from "#dist/host/plugin-host.js";
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { plugin } from "../../kit/plugins.js";
import { type Behaviour, event, scripted } from "../../kit/scripted.js";

const test = suite("host/deadlines/elsewhere");

for (const what of ["spin", "chatter"] as const) {
  test(`a timer that blocks (${what}) has one second; a call that waits is BUSY at its own deadline`, async (t) => {
    const s = await scripted(t, { timeouts: { default: 400 } });
    const d = s.driver();
    await d.createNetwork("net");
    const restarting = event(s.host, "plugin:restarting");
    const restarted = event(s.host, "plugin:restarted");
    await s.timer(what);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.is((await rejection(d.createNetwork("waits"))).code, "ERR_DRIVER_BUSY");
    const { code, reason } = await restarting;
    assert.is(code, "ERR_PLUGIN_BLOCKED");
    assert.match(reason ?? "", "outside any driver method");
    await restarted;
    await d.deleteNetwork("net");
  });
}

test("a timer that blocks an idle plugin is found without any call", async (t) => {
  const s = await scripted(t);
  const restarting = event(s.host, "plugin:restarting");
  await s.timer("chatter");
  assert.is((await restarting).code, "ERR_PLUGIN_BLOCKED");
});

for (const what of ["microtasks", "continuation", "finally"] as const satisfies readonly Behaviour[]) {
  test(`a call that blocks in its ${what} does not have its whole deadline for that`, async (t) => {
    const s = await scripted(t, { timeouts: { default: 15_000 } });
    const d = s.driver();
    await d.createNetwork("net");
    await d.createEndpoint("net", "end", new EndpointConfig());
    await s.cue([{ method: "createNetwork", nid: "blocks", what }]);
    const restarted = event(s.host, "plugin:restarted");
    const began = performance.now();
    const error = await rejection(d.createNetwork("blocks"));
    assert.is(error.code, "ERR_OUTCOME_UNKNOWN");
    assert.ok(performance.now() - began < 9000, `found after ${performance.now() - began} ms`);
    await restarted;
    assert.is((await rejection(d.deleteNetwork("blocks"))).code, "ERR_NETWORK_NOT_FOUND");
    assert.is((await d.endpointOperInfo("net", "end")).joined, false);
  });
}

test("a cancel listener that blocks: its caller has its answer, the worker is ended", async (t) => {
  const s = await scripted(t, { timeouts: { default: 400 } });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "onCancel" }]);
  const restarting = event(s.host, "plugin:restarting");
  const restarted = event(s.host, "plugin:restarted");
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_DRIVER_TIMEOUT");
  assert.is((await restarting).code, "ERR_PLUGIN_BLOCKED");
  await restarted;
  await d.createNetwork("net");
});

test("a method that logs without end is blocked like any other, and ended at its deadline", async (t) => {
  const s = await scripted(t, { timeouts: { default: 10_000, createNetwork: 600 } });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "chatter" }]);
  const restarted = event(s.host, "plugin:restarted");
  const began = performance.now();
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_DRIVER_TIMEOUT");
  const { reason } = await restarted;
  assert.match(reason ?? "", "blocked the worker past its deadline");
  assert.ok(performance.now() - began < 4000);
});

const BLOCKS = {
  "its top level": `for (;;);\nexport async function init() {}`,
  init: `export async function init() { for (;;); }`,
  "init, after an await": `export async function init() { await undefined; for (;;); }`,
  "a microtask chain of init": `export async function init() { for (;;) await undefined; }`,
};

for (const [where, code] of Object.entries(BLOCKS)) {
  test(`a plugin that blocks in ${where} is refused, and its neighbour serves`, async (t) => {
    const dir = await t.folder();
    await writeFile(join(dir, "bad.js"), code);
    await writeFile(join(dir, "good.js"), plugin("good"));
    const host = await createPluginHost({
      plugins: dir,
      isolation: "thread",
      logger: SILENT,
      policy: { defaults: { timeouts: { init: 2000 } } },
    });
    t.cleanup(() => host.close());
    const bad = host.plugins().find((one) => one.name === "bad");
    assert.is(bad?.state, "refused");
    assert.is(bad?.refusal?.code, "ERR_PLUGIN_INIT_TIMEOUT", bad?.refusal?.message);
    await host.driver("good").createNetwork("net");
  });
}

test.run();
