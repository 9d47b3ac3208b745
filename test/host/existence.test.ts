/** Existence is decided by the host, before the driver is asked: unknown, duplicate, in use, joined twice, not joined. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/existence");

const KINDS = { NOT_FOUND: "NotFound", EXISTS: "Forbidden", IN_USE: "Forbidden", JOINED: "Forbidden" } as const;

test("each refusal has its code and kind, names the id, and reaches no driver", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  const info = (): EndpointConfig => new EndpointConfig();
  const refused = async (call: Promise<unknown>, code: string, ...words: string[]): Promise<void> => {
    const error = await rejection(call);
    assert.is(error.code, code, error.message);
    const kind = Object.entries(KINDS).find(([end]) => code.endsWith(end))?.[1];
    assert.is(error.kind, kind, code);
    for (const word of words) assert.match(error.message, word);
    assert.is(error.driver, "scripted");
  };

  await refused(d.deleteNetwork("net"), "ERR_NETWORK_NOT_FOUND", "net");
  await refused(d.createEndpoint("net", "end", info()), "ERR_NETWORK_NOT_FOUND");
  await refused(d.deleteEndpoint("net", "end"), "ERR_NETWORK_NOT_FOUND");
  await refused(d.endpointOperInfo("net", "end"), "ERR_NETWORK_NOT_FOUND");
  await refused(d.join("net", "end", "box", new JoinConfig()), "ERR_NETWORK_NOT_FOUND");
  await refused(d.leave("net", "end"), "ERR_NETWORK_NOT_FOUND");
  assert.is(s.notes.filter((one) => one.method !== "config").length, 0);

  await d.createNetwork("net");
  await refused(d.createNetwork("net"), "ERR_NETWORK_EXISTS", "net");
  await refused(d.deleteEndpoint("net", "end"), "ERR_ENDPOINT_NOT_FOUND", "net", "end");
  await refused(d.endpointOperInfo("net", "end"), "ERR_ENDPOINT_NOT_FOUND");
  await refused(d.join("net", "end", "box", new JoinConfig()), "ERR_ENDPOINT_NOT_FOUND");
  await refused(d.leave("net", "end"), "ERR_ENDPOINT_NOT_FOUND");

  await d.createEndpoint("net", "end", info());
  await refused(d.createEndpoint("net", "end", info()), "ERR_ENDPOINT_EXISTS", "end");
  await refused(d.deleteNetwork("net"), "ERR_NETWORK_IN_USE", "net", "end");
  const leave = await rejection(d.leave("net", "end"));
  assert.is(leave.code, "ERR_ENDPOINT_NOT_JOINED");
  assert.is(leave.maskable, true);

  await d.join("net", "end", "box", new JoinConfig());
  await refused(d.join("net", "end", "other", new JoinConfig()), "ERR_ENDPOINT_JOINED", "box");
  await refused(d.deleteEndpoint("net", "end"), "ERR_ENDPOINT_IN_USE", "end");
  await refused(d.deleteNetwork("net"), "ERR_NETWORK_IN_USE");

  await d.leave("net", "end");
  await d.deleteEndpoint("net", "end");
  await d.deleteNetwork("net");
  await refused(d.deleteNetwork("net"), "ERR_NETWORK_NOT_FOUND");

  const begun = s.notes.filter((one) => one.event === undefined && one.method !== "config").map((one) => one.method);
  assert.equal(begun, ["createNetwork", "createEndpoint", "join", "leave", "deleteEndpoint", "deleteNetwork"]);
});

test("an id may be used again once it is gone, and the same endpoint id stands on two networks", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  for (let round = 0; round < 3; round++) {
    await d.createNetwork("a");
    await d.createNetwork("b");
    await d.createEndpoint("a", "end", new EndpointConfig());
    await d.createEndpoint("b", "end", new EndpointConfig());
    await d.deleteEndpoint("a", "end");
    assert.is((await d.endpointOperInfo("b", "end")).joined, false);
    await d.deleteEndpoint("b", "end");
    await d.deleteNetwork("a");
    await d.deleteNetwork("b");
  }
});

test("what a driver throws changes nothing: a refused create is absent, a refused delete is still there", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "throw" }]);
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_DRIVER_FAILED");
  assert.is((await rejection(d.deleteNetwork("net"))).code, "ERR_NETWORK_NOT_FOUND");
  await d.createNetwork("net");
  await s.cue([{ method: "deleteNetwork", nid: "net", what: "notFound" }]);
  const error = await rejection(d.deleteNetwork("net"));
  assert.is(error.code, "ERR_DRIVER_FAILED");
  assert.is(error.kind, "NotFound");
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_NETWORK_EXISTS");
  await d.deleteNetwork("net");
});

test("two drivers of one host keep their networks apart", async (t) => {
  const s = await scripted(t, { ids: ["one", "two"] });
  await s.driver("one").createNetwork("net");
  assert.is((await rejection(s.driver("two").deleteNetwork("net"))).code, "ERR_NETWORK_NOT_FOUND");
  await s.driver("two").createNetwork("net");
  await s.driver("one").deleteNetwork("net");
  await s.driver("two").deleteNetwork("net");
});

test("counters count calls and errors, those the host refuses included", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  const counters = () => s.host.plugins()[0]?.counters ?? { calls: 0, errors: 0 };
  const before = counters();
  await d.createNetwork("net");
  await rejection(d.createNetwork("net"));
  assert.is(counters().calls, before.calls + 2);
  assert.is(counters().errors, before.errors + 1);
});

test.run();
