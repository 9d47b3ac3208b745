/** Replies the contract does not allow: ERR_DRIVER_REPLY, the inverse call is really made, and nothing is left behind. */
import type { EndpointInfo } from "#dist/driverapi/types.js";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { type Behaviour, type Noted, type Scripted, scripted } from "../kit/scripted.js";

const test = suite("host/reply");

const asked = (notes: readonly Noted[]): string[] =>
  notes.filter((one) => one.event === undefined && one.method !== "config").map((one) => one.method);

async function withNetwork(t: Parameters<typeof scripted>[0], timeouts = {}): Promise<Scripted> {
  const s = await scripted(t, { notes: true, timeouts });
  await s.driver().createNetwork("net");
  return s;
}

test("an interface that no endpoint can have is refused, and the endpoint is deleted again", async (t) => {
  const s = await withNetwork(t);
  const d = s.driver();
  await s.cue([{ method: "createEndpoint", nid: "net", eid: "end", what: "badReply" }]);
  const info = new EndpointConfig();
  const error = await rejection(d.createEndpoint("net", "end", info));
  assert.is(error.code, "ERR_DRIVER_REPLY");
  assert.is(error.kind, "Internal");
  assert.match(error.message, "127.0.0.5/8");
  assert.ok(error.message.endsWith("; rolled back"), error.message);
  assert.equal(info.toJSON(), []);
  assert.equal(asked(s.notes), ["createNetwork", "createEndpoint", "deleteEndpoint"]);
  await d.createEndpoint("net", "end", info);
  assert.is(info.toJSON().length, 1);
});

test("a default route in a join is refused, and the sandbox leaves again", async (t) => {
  const s = await withNetwork(t);
  const d = s.driver();
  await d.createEndpoint("net", "end", new EndpointConfig());
  await s.cue([{ method: "join", nid: "net", eid: "end", what: "badReply" }]);
  const jinfo = new JoinConfig();
  const error = await rejection(d.join("net", "end", "box", jinfo));
  assert.is(error.code, "ERR_DRIVER_REPLY");
  assert.match(error.message, "0.0.0.0/0");
  assert.ok(error.message.endsWith("; rolled back"), error.message);
  assert.is(jinfo.gateway(), "");
  assert.equal(asked(s.notes).slice(-2), ["join", "leave"]);
  await d.join("net", "end", "box", jinfo);
  assert.is(jinfo.gateway(), "10.77.0.1");
});

const UNDOS: readonly (readonly [Behaviour, RegExp])[] = [
  ["notFound", /; rolled back$/],
  ["doneThrow", /; failed to roll back: scripted: done, and thrown$/],
  ["throw", /; failed to roll back: scripted: deleteEndpoint$/],
  ["crash", /; failed to roll back: .*stray throw/],
  ["never", /; failed to roll back: deleteEndpoint was not answered in time/],
];

for (const [what, message] of UNDOS) {
  test(`a rollback that does "${what}" is told as it went, by the call's deadline`, async (t) => {
    const s = await withNetwork(t, { default: 500 });
    const d = s.driver();
    await s.cue([
      { method: "createEndpoint", nid: "net", eid: "end", what: "badReply" },
      { method: "deleteEndpoint", nid: "net", eid: "end", what },
    ]);
    const began = performance.now();
    const error = await rejection(d.createEndpoint("net", "end", new EndpointConfig()));
    assert.ok(performance.now() - began < 900, `told after ${performance.now() - began} ms`);
    assert.is(error.code, "ERR_DRIVER_REPLY");
    assert.match(error.message, message);
  });
}

test("a platform's own EndpointInfo or JoinInfo that throws: the same rollback, with its words", async (t) => {
  const s = await withNetwork(t);
  const d = s.driver();
  const info: EndpointInfo = {
    interfaces: () => [],
    addInterface() {
      throw new Error("the platform has no room");
    },
  };
  const error = await rejection(d.createEndpoint("net", "end", info));
  assert.is(error.code, "ERR_DRIVER_REPLY");
  assert.match(error.message, /the platform has no room; rolled back$/);
  assert.equal(asked(s.notes).slice(-2), ["createEndpoint", "deleteEndpoint"]);
  await d.createEndpoint("net", "end", new EndpointConfig());

  class Picky extends JoinConfig {
    override setGateway(): void {
      throw new Error("no gateways here");
    }
  }
  const refused = await rejection(d.join("net", "end", "box", new Picky()));
  assert.is(refused.code, "ERR_DRIVER_REPLY");
  assert.match(refused.message, /no gateways here; rolled back$/);
  assert.equal(asked(s.notes).slice(-2), ["join", "leave"]);
  assert.is((await d.endpointOperInfo("net", "end")).joined, false);
});

test("interfaces that were given are only read, and stay what they are", async (t) => {
  const s = await withNetwork(t);
  const given = [{ id: 4, mac: "02:42:ac:11:00:02", ipv4: "10.77.3.4/16", ipv6: "fd00::4/64" }];
  const info = new EndpointConfig(given);
  await s.driver().createEndpoint("net", "end", info);
  assert.equal(info.toJSON(), given);
  assert.equal(s.notes.find((one) => one.eid === "end")?.given, [[4, "10.77.3.4/16"]]);
  await s.cue([{ method: "createEndpoint", nid: "net", eid: "adds", what: "badReply" }]);
  const error = await rejection(s.driver().createEndpoint("net", "adds", new EndpointConfig(given)));
  assert.is(error.code, "ERR_INTERFACES_GIVEN");
});

test("operational data that is not an object is ERR_DRIVER_REPLY, and says what it was", async (t) => {
  const s = await withNetwork(t);
  const d = s.driver();
  await d.createEndpoint("net", "end", new EndpointConfig());
  await s.cue([{ method: "endpointOperInfo", nid: "net", eid: "end", what: "badReply" }]);
  const error = await rejection(d.endpointOperInfo("net", "end"));
  assert.is(error.code, "ERR_DRIVER_REPLY");
  assert.match(error.message, "no object");
  assert.is((await d.endpointOperInfo("net", "end")).joined, false);
});

test.run();
