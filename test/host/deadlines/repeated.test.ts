/** A plugin that blocks again and again is judged by the default deadline, however long the call's own is. */
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { event, scripted } from "../../kit/scripted.js";

const test = suite("host/deadlines/repeated");

test("after three blocks a long synchronous call is ended at the default deadline; after a reload it has its own again", async (t) => {
  const s = await scripted(t, { timeouts: { default: 300, createNetwork: 10_000, config: 10_000 } });
  const d = s.driver();
  await d.createNetwork("net");
  await d.createEndpoint("net", "end", new EndpointConfig());
  const long = async (nid: string): Promise<string> => {
    await s.cue([{ method: "createNetwork", nid, what: "spin", ms: 2500 }]);
    return d.createNetwork(nid).then(
      () => "ok",
      (error: { code: string }) => error.code,
    );
  };
  assert.is(await long("first"), "ok", "a plugin without a record may block as long as its deadline says");
  for (let i = 0; i < 3; i++) {
    await s.cue([{ method: "endpointOperInfo", nid: "net", eid: "end", what: "spin" }]);
    const restarted = event(s.host, "plugin:restarted");
    assert.is((await rejection(d.endpointOperInfo("net", "end"))).code, "ERR_DRIVER_TIMEOUT");
    await restarted;
  }
  const restarted = event(s.host, "plugin:restarted");
  const began = performance.now();
  assert.is(await long("again"), "ERR_OUTCOME_UNKNOWN");
  assert.ok(performance.now() - began < 1500, `ended after ${performance.now() - began} ms`);
  await restarted;
  await s.host.reload("scripted");
  assert.is(await long("after"), "ok");
});

test.run();
