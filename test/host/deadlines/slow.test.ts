/** A slow call is only cancelled: its caller is answered at the deadline, its driver's signal fires, the others never notice. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { event, scripted } from "../../kit/scripted.js";

const test = suite("host/deadlines/slow");

test("one slow call among fast ones is cancelled alone", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 2000, endpointOperInfo: 300 } });
  const d = s.driver();
  await d.createNetwork("net");
  for (const eid of ["slow", "fast"]) await d.createEndpoint("net", eid, new EndpointConfig());
  await s.cue([{ method: "endpointOperInfo", nid: "net", eid: "slow", what: "obey" }]);
  const timeout = event(s.host, "call:timeout");
  const began = performance.now();
  let answered = false;
  const slow = rejection(d.endpointOperInfo("net", "slow")).finally(() => {
    answered = true;
  });
  let fast = 0;
  while (!answered) {
    await d.createEndpoint("net", "more", new EndpointConfig());
    await d.deleteEndpoint("net", "more");
    fast++;
  }
  const error = await slow;
  const took = performance.now() - began;
  assert.is(error.code, "ERR_DRIVER_TIMEOUT");
  assert.is(error.kind, "Timeout");
  assert.match(error.message, /endpointOperInfo.*300 ms/);
  assert.ok(took >= 295 && took < 1500, `answered after ${took} ms`);
  assert.ok(fast > 3, `${fast} rounds meanwhile`);
  assert.equal(await timeout, {
    plugin: "scripted",
    type: "scripted",
    method: "endpointOperInfo",
    nid: "net",
    eid: "slow",
    ms: 300,
    blocked: false,
  });
  await until(() => s.notes.some((one) => one.event === "abort" && one.eid === "slow"), "the driver's signal");
  // The driver obeyed, so the endpoint is free again.
  assert.is((await d.endpointOperInfo("net", "slow")).joined, false);
  assert.is(new Set(s.notes.map((one) => one.worker)).size, 1, "one worker served all of it");
  const { restarts, timeouts } = s.host.plugins()[0]?.counters ?? { restarts: -1, timeouts: -1 };
  assert.is(restarts, 0);
  assert.is(timeouts, 1);
});

test("a late success is compensated before any other call for that id", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 400 } });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "late", ms: 600 }]);
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_DRIVER_TIMEOUT");
  // Its id is locked until the late reply has come and has been undone; then the host knows that it is not there.
  assert.is((await rejection(d.deleteNetwork("net"))).code, "ERR_NETWORK_NOT_FOUND");
  await d.createNetwork("net");
  assert.equal(begun(s.notes), ["createNetwork", "deleteNetwork", "createNetwork"]);
});

test("a late success of createEndpoint and of join is compensated by deleteEndpoint and leave", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 400 } });
  const d = s.driver();
  await d.createNetwork("net");
  await s.cue([{ method: "createEndpoint", nid: "net", eid: "end", what: "late", ms: 600 }]);
  const info = new EndpointConfig();
  assert.is((await rejection(d.createEndpoint("net", "end", info))).code, "ERR_DRIVER_TIMEOUT");
  assert.is((await rejection(d.deleteEndpoint("net", "end"))).code, "ERR_ENDPOINT_NOT_FOUND");
  assert.equal(info.toJSON(), [], "a late reply is not applied");
  assert.equal(begun(s.notes), ["createNetwork", "createEndpoint", "deleteEndpoint"]);

  await d.createEndpoint("net", "end", info);
  await s.cue([{ method: "join", nid: "net", eid: "end", what: "late", ms: 600 }]);
  const jinfo = new JoinConfig();
  assert.is((await rejection(d.join("net", "end", "box", jinfo))).code, "ERR_DRIVER_TIMEOUT");
  assert.is((await rejection(d.leave("net", "end"))).code, "ERR_ENDPOINT_NOT_JOINED");
  assert.is(jinfo.gateway(), "", "a late reply is not applied");
  assert.equal(begun(s.notes).slice(-2), ["join", "leave"]);
  assert.is((await d.endpointOperInfo("net", "end")).joined, false);
});

test("a late success of a delete counts, a late error does not", async (t) => {
  const s = await scripted(t, { timeouts: { default: 400 } });
  const d = s.driver();
  for (const nid of ["goes", "stays"]) await d.createNetwork(nid);
  await s.cue([
    { method: "deleteNetwork", nid: "goes", what: "late", ms: 600 },
    { method: "deleteNetwork", nid: "stays", what: "lateThrow", ms: 600 },
  ]);
  const [goes, stays] = await Promise.all([rejection(d.deleteNetwork("goes")), rejection(d.deleteNetwork("stays"))]);
  assert.is(goes.code, "ERR_DRIVER_TIMEOUT");
  assert.is(stays.code, "ERR_DRIVER_TIMEOUT");
  assert.is((await rejection(d.deleteNetwork("goes"))).code, "ERR_NETWORK_NOT_FOUND");
  await d.deleteNetwork("stays");
});

test("a call that never settles gets its worker ended after another deadline, and is undone in the next one", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 400 } });
  const d = s.driver();
  await d.createNetwork("other");
  await s.cue([{ method: "createNetwork", nid: "net", what: "never" }]);
  const restarted = event(s.host, "plugin:restarted");
  const began = performance.now();
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_DRIVER_TIMEOUT");
  const { code, reason } = await restarted;
  assert.ok(performance.now() - began >= 790, "not before another deadline");
  assert.is(code, "ERR_PLUGIN_BLOCKED");
  assert.match(reason ?? "", "createNetwork");
  await d.createNetwork("net");
  const [before, after] = [...new Set(s.notes.map((one) => one.worker))];
  assert.equal(begun(s.notes, before), ["createNetwork", "createNetwork"]);
  assert.equal(begun(s.notes, after), ["createNetwork", "deleteNetwork", "createNetwork"]);
});

function begun(notes: Awaited<ReturnType<typeof scripted>>["notes"], worker?: number): string[] {
  return notes
    .filter(
      (one) => one.event === undefined && one.method !== "config" && (worker === undefined || one.worker === worker),
    )
    .map((one) => one.method);
}

test.run();
