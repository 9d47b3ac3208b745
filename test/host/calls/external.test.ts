/** External connectivity: what is asked of the driver, what is recorded, and what becomes of calls of unknown outcome. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { type Noted, type Scripted, type ScriptedOptions, scripted } from "../../kit/scripted.js";

const test = suite("host/calls/external");
const PROGRAM = "programExternalConnectivity";
const REVOKE = "revokeExternalConnectivity";

/** A driver with one endpoint that is joined. */
async function joined(t: TestContext, options: ScriptedOptions = {}): Promise<Scripted> {
  const s = await scripted(t, { notes: true, ...options });
  await s.driver().createNetwork("n");
  await s.driver().createEndpoint("n", "e", new EndpointConfig());
  await s.driver().join("n", "e", "box", new JoinConfig());
  return s;
}

const asked = (notes: readonly Noted[]): string[] =>
  notes
    .filter((one) => one.eid === "e" && one.event === undefined && one.method !== "endpointOperInfo")
    .map((one) => `${one.method}${one.replay ? " again" : ""}`);

const programmed = async (s: Scripted): Promise<unknown> =>
  (await s.driver().endpointOperInfo("n", "e")).programmed ?? "nothing";

test("program, program again, revoke, revoke again: the last is not asked, and replies are not looked at", async (t) => {
  const s = await joined(t);
  const d = s.driver();
  assert.is(await d.programExternalConnectivity("n", "e", { port: 80 }), undefined);
  await d.programExternalConnectivity("n", "e", { port: 81 });
  assert.is(await programmed(s), 81);
  assert.is(await d.revokeExternalConnectivity("n", "e"), undefined);
  await d.revokeExternalConnectivity("n", "e");
  assert.is(await programmed(s), "nothing");
  assert.equal(asked(s.notes), ["createEndpoint", "join", PROGRAM, PROGRAM, REVOKE]);
});

test("an endpoint that does not exist is refused, and one with programmed ports can be deleted and made again", async (t) => {
  const s = await joined(t);
  const d = s.driver();
  assert.is((await rejection(d.programExternalConnectivity("n", "no"))).code, "ERR_ENDPOINT_NOT_FOUND");
  assert.is((await rejection(d.revokeExternalConnectivity("no", "e"))).code, "ERR_NETWORK_NOT_FOUND");
  await d.programExternalConnectivity("n", "e", { port: 80 });
  await d.leave("n", "e");
  await d.deleteEndpoint("n", "e");
  await d.createEndpoint("n", "e", new EndpointConfig());
  await s.host.reload("scripted");
  assert.is(await programmed(s), "nothing");
});

test("what is programmed is replayed after the join, with its options, and what is revoked is not", async (t) => {
  const s = await joined(t);
  const d = s.driver();
  await d.programExternalConnectivity("n", "e", { port: 80 });
  s.notes.length = 0;
  await s.host.reload("scripted");
  assert.is(await programmed(s), 80);
  assert.equal(asked(s.notes), ["createEndpoint again", "join again", `${PROGRAM} again`]);
  const replayed = s.notes.find(({ method }) => method === PROGRAM);
  assert.equal(replayed?.options, { port: 80, "bulkhead.replay": true });
  await d.revokeExternalConnectivity("n", "e");
  await s.host.reload("scripted");
  assert.is(await programmed(s), "nothing");
});

for (const what of ["crash", "doneCrash", "late"] as const) {
  test(`a program of unknown outcome is revoked, also what it was to replace (${what})`, async (t) => {
    const s = await joined(t, what === "late" ? { timeouts: { default: 600 } } : {});
    const d = s.driver();
    await d.programExternalConnectivity("n", "e", { port: 80 });
    await s.cue([{ method: PROGRAM, nid: "n", eid: "e", what, ...(what === "late" ? { ms: 800 } : {}) }]);
    const { code } = await rejection(d.programExternalConnectivity("n", "e", { port: 81 }));
    assert.is(code, what === "late" ? "ERR_DRIVER_TIMEOUT" : "ERR_OUTCOME_UNKNOWN");
    // The answer waits for the undo, at most as long as a call may take.
    assert.is(await programmed(s), "nothing");
    await s.host.reload("scripted");
    assert.is(await programmed(s), "nothing");
  });
}

test("a program that the driver refuses leaves what was programmed before", async (t) => {
  const s = await joined(t);
  const d = s.driver();
  await d.programExternalConnectivity("n", "e", { port: 80 });
  await s.cue([{ method: PROGRAM, nid: "n", eid: "e", what: "throw" }]);
  assert.is((await rejection(d.programExternalConnectivity("n", "e", { port: 81 }))).code, "ERR_DRIVER_FAILED");
  await s.host.reload("scripted");
  assert.is(await programmed(s), 80);
});

test("a revoke of unknown outcome is repeated, and one that is refused leaves the ports", async (t) => {
  const s = await joined(t);
  const d = s.driver();
  await d.programExternalConnectivity("n", "e", { port: 80 });
  await s.cue([{ method: REVOKE, nid: "n", eid: "e", what: "throw" }]);
  assert.is((await rejection(d.revokeExternalConnectivity("n", "e"))).code, "ERR_DRIVER_FAILED");
  await s.cue([{ method: REVOKE, nid: "n", eid: "e", what: "crash" }]);
  assert.is((await rejection(d.revokeExternalConnectivity("n", "e"))).code, "ERR_OUTCOME_UNKNOWN");
  assert.is(await programmed(s), "nothing");
  assert.equal(asked(s.notes).filter((one) => one === REVOKE).length, 3);
  await s.host.reload("scripted");
  assert.is(await programmed(s), "nothing");
});

test.run();
