/** `"recovery": "self"`: a driver with durable state of its own. Nothing is replayed, and existence is the driver's own word. */
import { assert, rejection, suite } from "../harness.js";
import { event, scripted } from "../kit/scripted.js";

const test = suite("host/self-recovery");

test("the driver decides what exists, before and after a restart, and is told nothing it was not asked", async (t) => {
  const s = await scripted(t, { notes: true, manifest: { recovery: "self" } });
  const d = s.driver();
  const unknown = await rejection(d.deleteNetwork("net"));
  assert.is(unknown.code, "ERR_DRIVER_FAILED");
  assert.match(unknown.message, "BOOKS: unknown network");
  await d.createNetwork("net");
  const second = await rejection(d.createNetwork("net"));
  assert.match(second.message, "BOOKS: a second network");

  const restarted = event(s.host, "plugin:restarted");
  await s.timer("crash");
  await restarted;
  // This driver kept nothing: so there is nothing.
  await d.createNetwork("net");
  const worker = s.notes.at(-1)?.worker;
  const told = s.notes.filter((one) => one.worker === worker && one.event === undefined && one.method !== "config");
  assert.equal(
    told.map((one) => [one.method, one.replay]),
    [["createNetwork", false]],
  );
});

test("a second create that the driver refuses does not make its host forget the first", async (t) => {
  const s = await scripted(t, { manifest: { recovery: "self" } });
  const d = s.driver();
  await d.createNetwork("net");
  await rejection(d.createNetwork("net"));
  const error = await rejection(s.host.unload("scripted"));
  assert.is(error.code, "ERR_PLUGIN_IN_USE");
  await d.deleteNetwork("net");
  await s.host.unload("scripted");
});

test("ids and options are still checked by the host", async (t) => {
  const d = (await scripted(t, { manifest: { recovery: "self" } })).driver();
  assert.is((await rejection(d.createNetwork(""))).code, "ERR_BAD_ID");
  assert.is((await rejection(d.createNetwork("net", { "bulkhead.x": 1 }))).code, "ERR_BAD_OPTIONS");
});

test.run();
