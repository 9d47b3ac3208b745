/** Order: calls on one endpoint one after the other, a network's create and delete alone, all else in parallel. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { type Noted, scripted } from "../kit/scripted.js";

const test = suite("host/order");

/** "begin"/"end" marks of the driver, in its own order. */
const marks = (notes: readonly Noted[]): string[] =>
  notes
    .filter((one) => one.method !== "config")
    .map((one) => `${one.event === "end" ? "-" : "+"}${one.method}${one.eid ? ` ${one.eid}` : ""}`);

test("calls on one endpoint run one after the other, in the order they were made", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.createNetwork("net");
  await s.cue([
    { method: "createEndpoint", nid: "net", eid: "end", what: "late", ms: 60 },
    { method: "join", nid: "net", eid: "end", what: "late", ms: 40 },
    { method: "leave", nid: "net", eid: "end", what: "late", ms: 20 },
  ]);
  await Promise.all([
    d.createEndpoint("net", "end", new EndpointConfig()),
    d.join("net", "end", "box", new JoinConfig()),
    d.endpointOperInfo("net", "end").then((info) => assert.is(info.joined, true)),
    d.leave("net", "end"),
    d.deleteEndpoint("net", "end"),
  ]);
  const order = ["createEndpoint", "join", "endpointOperInfo", "leave", "deleteEndpoint"];
  assert.equal(
    marks(s.notes).slice(2),
    order.flatMap((one) => [`+${one} end`, `-${one} end`]),
  );
});

test("calls on different endpoints, and on different networks, run at the same time", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.createNetwork("net");
  await s.cue([
    ...["a", "b", "c"].map((eid) => ({ method: "createEndpoint", nid: "net", eid, what: "late", ms: 150 }) as const),
    { method: "createNetwork", nid: "other", what: "late", ms: 150 },
  ]);
  await Promise.all([
    ...["a", "b", "c"].map((eid) => d.createEndpoint("net", eid, new EndpointConfig())),
    d.createNetwork("other"),
  ]);
  const seen = marks(s.notes).slice(2);
  assert.ok(
    seen.slice(0, 4).every((one) => one.startsWith("+")),
    seen.join(" "),
  );
});

test("a network's create and delete wait for its endpoints' calls, and those for them", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await s.cue([
    { method: "createNetwork", nid: "net", what: "late", ms: 60 },
    { method: "createEndpoint", nid: "net", eid: "end", what: "late", ms: 60 },
    { method: "deleteEndpoint", nid: "net", eid: "end", what: "late", ms: 60 },
    { method: "deleteNetwork", nid: "net", what: "late", ms: 60 },
  ]);
  const answers = await Promise.all([
    d.createNetwork("net"),
    d.createEndpoint("net", "end", new EndpointConfig()),
    d.deleteEndpoint("net", "end"),
    d.deleteNetwork("net"),
    rejection(d.createEndpoint("net", "end", new EndpointConfig())).then(({ code }) => code),
    d.createNetwork("net"),
  ]);
  assert.is(answers[4], "ERR_NETWORK_NOT_FOUND");
  const order = ["createNetwork", "createEndpoint end", "deleteEndpoint end", "deleteNetwork", "createNetwork"];
  assert.equal(
    marks(s.notes),
    order.flatMap((one) => [`+${one}`, `-${one}`]),
  );
});

test("a call that waits for its ids past its deadline is BUSY, was never run, and blocks no other", async (t) => {
  const s = await scripted(t, { notes: true, timeouts: { default: 5000, endpointOperInfo: 150 } });
  const d = s.driver();
  await d.createNetwork("net");
  await s.cue([{ method: "createEndpoint", nid: "net", eid: "end", what: "late", ms: 700 }]);
  const create = d.createEndpoint("net", "end", new EndpointConfig());
  const busy = await rejection(d.endpointOperInfo("net", "end"));
  assert.is(busy.code, "ERR_DRIVER_BUSY");
  assert.is(busy.retry, true);
  const join = d.join("net", "end", "box", new JoinConfig());
  await Promise.all([create, join]);
  assert.not.ok(marks(s.notes).includes("+endpointOperInfo end"));
});

test("config waits for nobody", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "late", ms: 300 }]);
  let created = false;
  const create = d.createNetwork("net").then(() => {
    created = true;
  });
  await d.config({});
  assert.is(created, false);
  await create;
});

test.run();
