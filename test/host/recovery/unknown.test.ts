/** Calls of unknown outcome: creates and joins are undone before any other call on their ids, deletes and leaves repeated. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { type Noted, scripted } from "../../kit/scripted.js";

const test = suite("host/recovery/unknown");

const asked = (notes: readonly Noted[], eid: string): string[] =>
  notes
    .filter((one) => one.eid === eid && one.event === undefined)
    .map((one) => `${one.method}${one.replay ? " again" : ""}`);

for (const what of ["crash", "doneCrash"] as const) {
  test(`createEndpoint and join are undone, whether they were done or not (${what})`, async (t) => {
    const s = await scripted(t, { notes: true });
    const d = s.driver();
    await d.createNetwork("net");
    await d.createEndpoint("net", "join", new EndpointConfig());
    for (const [eid, method] of [
      ["create", "createEndpoint"],
      ["join", "join"],
    ] as const) {
      await s.cue([{ method, nid: "net", eid, what }]);
      const call =
        method === "join"
          ? d.join("net", eid, "box", new JoinConfig())
          : d.createEndpoint("net", eid, new EndpointConfig());
      const error = await rejection(call);
      assert.is(error.code, "ERR_OUTCOME_UNKNOWN");
      assert.is(error.retry, true);
      // Asked at once: the answer waits for the undo.
      if (method === "join") assert.is((await d.endpointOperInfo("net", eid)).joined, false);
      else assert.is((await rejection(d.endpointOperInfo("net", eid))).code, "ERR_ENDPOINT_NOT_FOUND");
    }
    assert.equal(
      asked(s.notes, "create").slice(0, 2),
      ["createEndpoint", "deleteEndpoint"],
      "undone, and not replayed",
    );
    const join = asked(s.notes, "join");
    assert.equal(join.slice(join.lastIndexOf("createEndpoint again")), [
      "createEndpoint again",
      "leave",
      "endpointOperInfo",
    ]);
  });
}

test("a delete and a leave are repeated until answered, and then hold", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.createNetwork("net");
  await d.createEndpoint("net", "end", new EndpointConfig());
  await d.join("net", "end", "box", new JoinConfig());
  const lose = async (
    method: "leave" | "deleteEndpoint" | "deleteNetwork",
    call: () => Promise<void>,
  ): Promise<void> => {
    await s.cue([{ method, nid: "net", ...(method === "deleteNetwork" ? {} : { eid: "end" }), what: "crash" }]);
    assert.is((await rejection(call())).code, "ERR_OUTCOME_UNKNOWN", method);
  };
  await lose("leave", () => d.leave("net", "end"));
  assert.is((await rejection(d.leave("net", "end"))).code, "ERR_ENDPOINT_NOT_JOINED");
  await lose("deleteEndpoint", () => d.deleteEndpoint("net", "end"));
  assert.is((await rejection(d.deleteEndpoint("net", "end"))).code, "ERR_ENDPOINT_NOT_FOUND");
  await lose("deleteNetwork", () => d.deleteNetwork("net"));
  assert.is((await rejection(d.deleteNetwork("net"))).code, "ERR_NETWORK_NOT_FOUND");
  assert.is(s.notes.filter((one) => one.method === "deleteNetwork" && one.event === undefined).length, 2);
});

test("a call whose outcome is unknown does not hold other ids", async (t) => {
  const s = await scripted(t, { timeouts: { default: 5000 } });
  const d = s.driver();
  await d.createNetwork("net");
  await s.cue([{ method: "createEndpoint", nid: "net", eid: "lost", what: "crash" }]);
  const lost = rejection(d.createEndpoint("net", "lost", new EndpointConfig()));
  await d.createEndpoint("net", "fine", new EndpointConfig()).catch(() => {});
  assert.is((await lost).code, "ERR_OUTCOME_UNKNOWN");
  assert.is(typeof (await d.endpointOperInfo("net", "fine").catch((error) => error)), "object");
  await d.createNetwork("other");
});

test("an undo that was caught in a reload is taken up by the new worker", async (t) => {
  const s = await scripted(t, { timeouts: { default: 400 } });
  const d = s.driver();
  await s.cue([
    { method: "createNetwork", nid: "net", what: "late", ms: 500 },
    { method: "deleteNetwork", nid: "net", what: "late", ms: 380 },
  ]);
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_DRIVER_TIMEOUT");
  await s.host.reload("scripted");
  await d.createNetwork("net");
  await d.deleteNetwork("net");
});

test.run();
