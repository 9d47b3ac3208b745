/** A blocked worker: a call that waits is told so at its own deadline, the one that blocks keeps its own; expired calls are never run. */
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { event, type Scripted, scripted } from "../../kit/scripted.js";

const test = suite("host/deadlines/blocked");

async function withEndpoints(s: Scripted, ...eids: string[]): Promise<void> {
  await s.driver().createNetwork("net");
  for (const eid of eids) await s.driver().createEndpoint("net", eid, new EndpointConfig());
}

for (const together of [true, false]) {
  test(`a long synchronous call keeps its long deadline; one that waits behind it ${together ? "in its frame" : "in a later frame"} is BUSY at its own, and is never run`, async (t) => {
    const s = await scripted(t, { notes: true, timeouts: { default: 10_000, endpointOperInfo: 200 } });
    const d = s.driver();
    await withEndpoints(s, "one");
    await s.cue([{ method: "createNetwork", nid: "long", what: "spin", ms: 900 }]);
    const timeout = event(s.host, "call:timeout");
    const began = performance.now();
    let longDone = false;
    const long = d.createNetwork("long").then(() => {
      longDone = true;
    });
    // Calls of one turn of the event loop share a frame.
    if (!together) await new Promise((resolve) => setImmediate(resolve));
    const error = await rejection(d.endpointOperInfo("net", "one"));
    assert.is(error.code, "ERR_DRIVER_BUSY", error.message);
    assert.is(error.retry, true);
    assert.is(longDone, false, `answered at its own deadline, after ${performance.now() - began} ms`);
    assert.is(((await timeout) as { blocked?: boolean }).blocked, true);
    await long;
    assert.is((await d.endpointOperInfo("net", "one")).joined, false);
    const asked = s.notes.filter((one) => one.method === "endpointOperInfo" && one.event === undefined);
    assert.is(asked.length, 1, "the expired call was not run");
    assert.is(s.host.plugins()[0]?.counters.restarts, 0);
  });
}

test("an expired create that was never run leaves nothing, and its id is free at once after the block", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 10_000, createEndpoint: 200 } });
  const d = s.driver();
  await withEndpoints(s);
  await s.cue([{ method: "createNetwork", nid: "long", what: "spin", ms: 700 }]);
  const long = d.createNetwork("long");
  assert.is((await rejection(d.createEndpoint("net", "end", new EndpointConfig()))).code, "ERR_DRIVER_BUSY");
  await long;
  await d.createEndpoint("net", "end", new EndpointConfig());
  const asked = s.notes.filter((one) => one.eid === "end" && one.event === undefined).map((one) => one.method);
  assert.equal(asked, ["createEndpoint"], "neither the expired call nor an undo of it");
});

test("a call that blocks past its deadline: TIMEOUT for it, OUTCOME_UNKNOWN for what had started, BUSY for what had not", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 10_000, endpointOperInfo: 500 } });
  const d = s.driver();
  await withEndpoints(s, "blocker", "started", "waits");
  await s.cue([
    { method: "deleteEndpoint", nid: "net", eid: "started", what: "never" },
    { method: "endpointOperInfo", nid: "net", eid: "blocker", what: "spin" },
  ]);
  const restarting = event(s.host, "plugin:restarting");
  const restarted = event(s.host, "plugin:restarted");
  const started = rejection(d.deleteEndpoint("net", "started"));
  // Its frame must have been received before the block begins.
  await s.cue([]);
  const began = performance.now();
  const blocker = rejection(d.endpointOperInfo("net", "blocker"));
  const waits = rejection(d.deleteEndpoint("net", "waits"));
  const blocked = await blocker;
  assert.is(blocked.code, "ERR_DRIVER_TIMEOUT");
  assert.ok(performance.now() - began < 3000);
  const unknown = await started;
  assert.is(unknown.code, "ERR_OUTCOME_UNKNOWN");
  assert.is(unknown.retry, true);
  assert.is((await waits).code, "ERR_DRIVER_BUSY");
  assert.is((await restarting).code, "ERR_PLUGIN_BLOCKED");
  await restarted;
  // A delete of unknown outcome is repeated.
  assert.is((await rejection(d.endpointOperInfo("net", "started"))).code, "ERR_ENDPOINT_NOT_FOUND");
});

test("a worker blocked by an earlier call of a long deadline is not ended while that call has time", async (t) => {
  const s = await scripted(t, { timeouts: { default: 10_000, endpointOperInfo: 150 } });
  const d = s.driver();
  await withEndpoints(s, "one");
  // Longer than the budget for blocks outside any call.
  await s.cue([{ method: "createNetwork", nid: "long", what: "spin", ms: 1800 }]);
  const long = d.createNetwork("long");
  let busy = 0;
  let running = true;
  void long.finally(() => {
    running = false;
  });
  while (running) {
    const error = await rejection(d.endpointOperInfo("net", "one")).catch(() => undefined);
    if (error) assert.is(error.code, "ERR_DRIVER_BUSY");
    if (error) busy++;
  }
  await long;
  assert.ok(busy >= 3, `${busy} calls were told BUSY`);
  assert.is(s.host.plugins()[0]?.counters.restarts, 0);
});

test("a long synchronous call whose frame closely follows another one keeps its deadline", async (t) => {
  const s = await scripted(t, { timeouts: { default: 10_000, endpointOperInfo: 200 } });
  const d = s.driver();
  await withEndpoints(s, "one");
  for (let round = 0; round < 10; round++) {
    await s.cue([
      { method: "endpointOperInfo", nid: "net", eid: "one", what: "late", ms: 20 },
      { method: "createNetwork", nid: `long${round}`, what: "spin", ms: 450 },
    ]);
    const short = d.endpointOperInfo("net", "one").catch((error: { code: string }) => error.code);
    await new Promise((resolve) => setImmediate(resolve));
    await d.createNetwork(`long${round}`);
    await short;
  }
  assert.is(s.host.plugins()[0]?.counters.restarts, 0);
});

test("calls of new deadlines do not keep a blocker alive: it is ended at its own", async (t) => {
  const s = await scripted(t, { timeouts: { default: 10_000, endpointOperInfo: 600 } });
  const d = s.driver();
  await withEndpoints(s, "one");
  await s.cue([{ method: "endpointOperInfo", nid: "net", eid: "one", what: "spin" }]);
  const restarting = event(s.host, "plugin:restarting");
  const began = performance.now();
  const blocker = rejection(d.endpointOperInfo("net", "one"));
  const more = Array.from({ length: 20 }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, i * 20));
    return d.createNetwork(`n${i}`).then(
      () => "ok",
      (error: { code: string }) => error.code,
    );
  });
  await restarting;
  assert.ok(performance.now() - began < 4000, "ended at the running call's deadline");
  assert.is((await blocker).code, "ERR_DRIVER_TIMEOUT");
  for (const code of await Promise.all(more)) assert.ok(code === "ERR_DRIVER_BUSY" || code === "ok", code);
});

test.run();
