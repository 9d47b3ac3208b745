/** What a restarted driver is told: registration, config, networks, endpoints, joins, as they were, and marked as a replay. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, suite } from "../../harness.js";
import { event, type Noted, type Scripted, scripted } from "../../kit/scripted.js";

const test = suite("host/recovery/replay");

async function build(s: Scripted): Promise<void> {
  const d = s.driver();
  await d.config({ mtu: 9000 });
  await d.createNetwork("one", { subnet: "10.1.0.0/16" });
  await d.createEndpoint("one", "filled", new EndpointConfig(), { alias: "f" });
  await d.createEndpoint("one", "given", new EndpointConfig([{ id: 5, ipv4: "10.77.9.9/16" }]));
  await d.join("one", "filled", "box", new JoinConfig(), { why: "test" });
  await d.createNetwork("two");
  await d.createNetwork("gone");
  await d.deleteNetwork("gone");
}

/** What the newest worker was asked first, up to the end of the replay. */
function told(notes: readonly Noted[]): Noted[] {
  const worker = notes.at(-1)?.worker;
  return notes.filter((one) => one.worker === worker && one.event === undefined);
}

for (const how of ["crash", "reload"] as const) {
  test(`after a ${how} everything is replayed, in order and as it was`, async (t) => {
    const s = await scripted(t, {
      notes: true,
      options: { scripted: { mtu: 1400 }, "scripted-control": { notes: true } },
    });
    const d = s.driver();
    await build(s);
    if (how === "crash") {
      const restarted = event(s.host, "plugin:restarted");
      await s.timer("crash");
      await restarted;
    } else await s.host.reload("scripted");
    const info = await d.endpointOperInfo("one", "filled");
    const calls = told(s.notes);
    const nth = (find: (one: Noted) => boolean): number => calls.findIndex(find);

    assert.equal(
      calls.filter((one) => one.method === "config").map((one) => one.options),
      [{ mtu: 1400 }, { mtu: 9000 }],
    );
    assert.ok(nth((one) => one.method === "config") === 0 && nth((one) => one.method === "createNetwork") === 2);
    const { options, replay } = calls.find((one) => one.method === "createNetwork" && one.nid === "one") as Noted;
    assert.equal(options, { subnet: "10.1.0.0/16", "bulkhead.replay": true });
    assert.is(replay, true);
    const filled = calls.find((one) => one.eid === "filled") as Noted;
    assert.equal(filled.options, { alias: "f", "bulkhead.replay": true });
    assert.equal(filled.given, [[0, info.address]], "it is given the interfaces it had filled in");
    assert.equal(calls.find((one) => one.eid === "given")?.given, [[5, "10.77.9.9/16"]]);
    const join = calls.find((one) => one.method === "join") as Noted;
    assert.equal(join.options, { why: "test", "bulkhead.replay": true });
    assert.is(join.replay, true);
    assert.ok(nth((one) => one.nid === "one") < nth((one) => one.eid === "filled"));
    assert.ok(nth((one) => one.eid === "filled") < nth((one) => one.method === "join"));
    assert.ok(calls.some((one) => one.method === "createNetwork" && one.nid === "two"));
    assert.not.ok(calls.some((one) => one.nid === "gone"));
    const live = calls.find((one) => one.method === "endpointOperInfo");
    assert.is(live?.replay, false, "a call of the platform's own is not a replay");

    // The driver object is the same, and all of it serves on.
    assert.is(d.type(), "scripted");
    await d.leave("one", "filled");
    for (const eid of ["filled", "given"]) await d.deleteEndpoint("one", eid);
    for (const nid of ["one", "two"]) await d.deleteNetwork(nid);
    assert.is(s.host.plugins()[0]?.counters.restarts, how === "crash" ? 1 : 0);
  });
}

test("calls made while the plugin restarts wait for it", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  await d.createNetwork("net");
  const restarting = event(s.host, "plugin:restarting");
  const restarted = event(s.host, "plugin:restarted");
  await s.timer("crash");
  await restarting;
  assert.is(s.host.plugins()[0]?.state, "restarting");
  await Promise.all([d.createEndpoint("net", "one", new EndpointConfig()), d.createNetwork("other")]);
  await restarted;
  assert.is(s.host.plugins()[0]?.state, "running");
  assert.is((await d.endpointOperInfo("net", "one")).joined, false);
});

test.run();
