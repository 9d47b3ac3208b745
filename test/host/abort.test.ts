/** The caller's signal: aborted before, while waiting, in flight; what became of the call afterwards. */

import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../harness.js";
import { MemoryJournal } from "../kit/memory-journal.js";
import { event, scripted } from "../kit/scripted.js";

const test = suite("host/abort");

test("aborted before: ERR_CALL_ABORTED for every method, and no driver is asked", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  const call = { signal: AbortSignal.abort() };
  const calls = [
    d.config({}, call),
    d.createNetwork("net", {}, call),
    d.deleteNetwork("net", call),
    d.createEndpoint("net", "end", new EndpointConfig(), {}, call),
    d.deleteEndpoint("net", "end", call),
    d.endpointOperInfo("net", "end", call),
    d.join("net", "end", "box", new JoinConfig(), {}, call),
    d.leave("net", "end", call),
  ];
  for (const one of calls) {
    const error = await rejection(one);
    assert.is(error.code, "ERR_CALL_ABORTED");
    assert.is(error.kind, "Timeout");
  }
  await d.createNetwork("net");
  assert.equal(
    s.notes.filter((one) => one.event === undefined).map((one) => one.method),
    ["createNetwork"],
  );
});

test("what is not a signal is refused before anything is begun, with a deadline or an abort still to come", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  for (const call of [{ signal: 5 }, { signal: "abort" }, { signal: null }, { signal: { aborted: false } }, "signal"]) {
    for (const begin of [
      () => d.config({}, call as never),
      () => d.createNetwork("net", {}, call as never),
      () => d.deleteNetwork("net", call as never),
      () => d.createEndpoint("net", "end", new EndpointConfig(), {}, call as never),
      () => d.deleteEndpoint("net", "end", call as never),
      () => d.endpointOperInfo("net", "end", call as never),
      () => d.join("net", "end", "box", new JoinConfig(), {}, call as never),
      () => d.leave("net", "end", call as never),
    ]) {
      const error = await rejection(begin());
      assert.is(error.code, "ERR_BAD_OPTIONS");
      assert.is(error.kind, "BadRequest");
    }
  }
  assert.equal(s.notes, []);
  await d.createNetwork("net", {}, {});
  await d.deleteNetwork("net", { signal: undefined } as never);
});

test("aborted in flight: its caller has its answer at once, the driver's signal fires, a late success is undone", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "late", ms: 500 }]);
  const stop = new AbortController();
  const create = rejection(d.createNetwork("net", {}, { signal: stop.signal }));
  await until(() => s.notes.some((one) => one.method === "createNetwork"), "the call to have started");
  const began = performance.now();
  stop.abort();
  assert.is((await create).code, "ERR_CALL_ABORTED");
  assert.ok(performance.now() - began < 300, "at once");
  await until(() => s.notes.some((one) => one.event === "abort"), "the driver's signal");
  assert.is((await rejection(d.deleteNetwork("net"))).code, "ERR_NETWORK_NOT_FOUND");
  const asked = s.notes.filter((one) => one.event === undefined).map((one) => one.method);
  assert.equal(asked, ["createNetwork", "deleteNetwork"]);
  assert.is(s.host.plugins()[0]?.counters.timeouts, 0);
});

test("a driver that obeys its signal frees the id at once", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "obey" }]);
  const stop = new AbortController();
  const create = rejection(d.createNetwork("net", {}, { signal: stop.signal }));
  await until(() => s.notes.some(({ method, nid }) => method === "createNetwork" && nid === "net"), "the call");
  stop.abort();
  assert.is((await create).code, "ERR_CALL_ABORTED");
  await d.createNetwork("net");
});

test("aborted while it waits for its ids, or for a restart: it leaves no trace", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "late", ms: 300 }]);
  const create = d.createNetwork("net");
  const stop = new AbortController();
  const waits = rejection(d.createEndpoint("net", "end", new EndpointConfig(), {}, { signal: stop.signal }));
  stop.abort();
  assert.is((await waits).code, "ERR_CALL_ABORTED");
  await create;

  const restarting = event(s.host, "plugin:restarting");
  const restarted = event(s.host, "plugin:restarted");
  await s.timer("crash");
  await restarting;
  const second = new AbortController();
  const call = rejection(d.createNetwork("other", {}, { signal: second.signal }));
  second.abort();
  assert.is((await call).code, "ERR_CALL_ABORTED");
  await restarted;
  await d.createEndpoint("net", "end", new EndpointConfig());
  assert.is((await rejection(d.deleteNetwork("other"))).code, "ERR_NETWORK_NOT_FOUND");
  assert.is(s.notes.filter((one) => one.eid === "end" && one.event === undefined).length, 1);
});

test("a signal that fires after the answer changes nothing", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  const stop = new AbortController();
  await d.createNetwork("net", {}, { signal: stop.signal });
  stop.abort();
  await d.deleteNetwork("net");
});

test("aborted while its intent is being committed: no driver is asked, and nothing is left of it", async (t) => {
  class Committing extends MemoryJournal {
    commit(): void {}
  }
  const s = await scripted(t, { notes: true, parts: { journal: new Committing() } });
  const caller = new AbortController();
  const call = rejection(s.driver().createNetwork("net", {}, { signal: caller.signal }));
  caller.abort();
  assert.is((await call).code, "ERR_CALL_ABORTED");
  await s.driver().createNetwork("net");
  assert.is(s.notes.filter((one) => one.method === "createNetwork" && one.event === undefined).length, 1);
});

test.run();
