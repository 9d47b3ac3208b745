/** Ids are opaque: any text of 1 to 256 bytes, and never a key of an object. */
import fc from "fast-check";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/ids");

const ODD = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "0",
  "-1",
  " ",
  "\0",
  "\n",
  "a/b",
  "a\\b",
  "../..",
  '"',
  "[]",
  "{}",
  "null",
  "undefined",
  "%00",
  "\u00e9",
  "e\u0301",
  "网络",
  "🦊",
  "\u202e",
  "a".repeat(256),
  "é".repeat(128),
  "🦊".repeat(64),
];

test("odd ids live a whole life side by side, as network, endpoint and sandbox", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  for (const id of ODD) {
    await d.createNetwork(id);
    await d.createEndpoint(id, id, new EndpointConfig());
    await d.join(id, id, id, new JoinConfig());
  }
  for (const id of ODD) {
    assert.equal(await d.endpointOperInfo(id, id).then(({ joined }) => joined), true, JSON.stringify(id));
    assert.is((await rejection(d.createNetwork(id))).code, "ERR_NETWORK_EXISTS", JSON.stringify(id));
  }
  for (const id of ODD) {
    await d.leave(id, id);
    await d.deleteEndpoint(id, id);
    await d.deleteNetwork(id);
    assert.is((await rejection(d.deleteNetwork(id))).code, "ERR_NETWORK_NOT_FOUND", JSON.stringify(id));
  }
  assert.is(({} as Record<string, unknown>).polluted, undefined);
});

test("empty, overlong, non-string ids and ids without UTF-8 are ERR_BAD_ID, wherever they stand", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.createNetwork("net");
  await d.createEndpoint("net", "end", new EndpointConfig());
  const bad: unknown[] = [
    "",
    "a".repeat(257),
    "é".repeat(129),
    undefined,
    null,
    7,
    true,
    {},
    ["net"],
    Symbol("net"),
    "\ud800",
    "x\udc00",
  ];
  for (const id of bad as string[]) {
    const calls = [
      d.createNetwork(id),
      d.deleteNetwork(id),
      d.createEndpoint(id, "end", new EndpointConfig()),
      d.createEndpoint("net", id, new EndpointConfig()),
      d.deleteEndpoint(id, "end"),
      d.deleteEndpoint("net", id),
      d.endpointOperInfo(id, "end"),
      d.endpointOperInfo("net", id),
      d.join(id, "end", "box", new JoinConfig()),
      d.join("net", id, "box", new JoinConfig()),
      d.join("net", "end", id, new JoinConfig()),
      d.leave(id, "end"),
      d.leave("net", id),
    ];
    for (const call of calls) {
      const error = await rejection(call);
      assert.is(error.code, "ERR_BAD_ID");
      assert.is(error.kind, "BadRequest");
    }
  }
  assert.equal(
    s.notes.filter((one) => one.event === undefined && one.method !== "config").map((one) => one.method),
    ["createNetwork", "createEndpoint"],
  );
});

test("different ids are different networks, whatever they are made of", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  const id = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  const ids = fc.uniqueArray(id, { minLength: 2, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(ids, async (all) => {
      await Promise.all(all.map((one) => d.createNetwork(one)));
      const [first, ...rest] = all as [string, ...string[]];
      await d.deleteNetwork(first);
      for (const one of rest) assert.is((await rejection(d.createNetwork(one))).code, "ERR_NETWORK_EXISTS");
      await Promise.all(rest.map((one) => d.deleteNetwork(one)));
    }),
    { numRuns: 60 },
  );
});

test.run();
