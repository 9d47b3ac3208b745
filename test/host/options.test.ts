/** A call's options: plain JSON, `{}` when absent, no key of the host's own; what the driver sees is a copy. */
import { EndpointConfig, type EndpointInfo, JoinConfig, type JoinInfo } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/options");

test("absent options are {}, in all four calls that take them", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.config();
  await d.createNetwork("net");
  await d.createEndpoint("net", "end", new EndpointConfig());
  await d.join("net", "end", "box", new JoinConfig());
  const seen = s.notes.filter((one) => one.event === undefined);
  assert.equal(
    seen.map((one) => one.method),
    ["config", "createNetwork", "createEndpoint", "join"],
  );
  for (const one of seen) assert.equal(one.options, {}, one.method);
});

test("options arrive as they were given, deep, as a copy", async (t) => {
  const s = await scripted(t, { notes: true });
  const options = {
    "com.docker.network.generic": { subnet: "10.1.0.0/24", list: [1, null, "x", { deep: [true] }] },
    toString: "not a method",
    constructor: 1,
    bulkhead: "fine: no dot",
    "": "empty key",
    unicode: "\u2028🦊\0",
  };
  const copy = structuredClone(options);
  await s.driver().createNetwork("net", options);
  assert.equal(s.notes.find((one) => one.method === "createNetwork")?.options, copy);
  assert.equal(options, copy);
});

test("what is not a plain JSON object, too large or too deep, or begins with bulkhead., is BadRequest with its place", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.createNetwork("net");
  await d.createEndpoint("net", "end", new EndpointConfig());
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  let deep: unknown = 1;
  for (let i = 0; i < 40; i++) deep = [deep];
  const cases: readonly (readonly [unknown, string])[] = [
    [null, "null"],
    [[], "list|object"],
    ["text", "text"],
    [7, "7"],
    [true, "true"],
    [{ "bulkhead.replay": true }, "bulkhead.replay"],
    [{ "bulkhead.": 1 }, "bulkhead."],
    [{ a: { b: () => 1 } }, "a.b"],
    [{ a: [1, Number.NaN] }, "a\\[1\\]"],
    [{ a: 1n }, "a"],
    [{ a: new Date() }, "a"],
    [{ a: new Map() }, "a"],
    [
      {
        get a() {
          return 1;
        },
      },
      "a",
    ],
    [JSON.parse('{"__proto__": {"x": 1}}'), "__proto__"],
    [{ [Symbol("s")]: 1 }, "symbol"],
    [cyclic, "self"],
    [{ deep }, "deep"],
    [{ big: "x".repeat(600_000) }, "big"],
    [{ many: new Array(30_000).fill(0) }, "many"],
    [
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error("trap");
          },
        },
      ),
      "",
    ],
  ];
  for (const [options, word] of cases) {
    const given = options as Record<string, never>;
    for (const call of [
      d.config(given),
      d.createNetwork("other", given),
      d.createEndpoint("net", "other", new EndpointConfig(), given),
      d.join("net", "end", "box", new JoinConfig(), given),
    ]) {
      const error = await rejection(call);
      assert.is(error.code, "ERR_BAD_OPTIONS", error.message);
      assert.is(error.kind, "BadRequest");
      assert.match(error.message, new RegExp(word));
    }
  }
  assert.is(s.notes.filter((one) => one.event === undefined).length, 2);
  await d.join("net", "end", "box", new JoinConfig());
});

test("the policy's options reach config() at registration, and a platform's own config() after it", async (t) => {
  const s = await scripted(t, {
    notes: true,
    options: { scripted: { mtu: 1400 }, "scripted-control": { notes: true } },
  });
  assert.equal(
    s.notes.filter((one) => one.method === "config").map((one) => one.options),
    [{ mtu: 1400 }],
  );
  await s.driver().config({ mtu: 9000 });
  assert.equal(
    s.notes.filter((one) => one.method === "config").map((one) => one.options),
    [{ mtu: 1400 }, { mtu: 9000 }],
  );
});

test("a platform's object that is not an EndpointInfo or JoinInfo is BadRequest", async (t) => {
  const d = (await scripted(t)).driver();
  await d.createNetwork("net");
  for (const wrong of [undefined, null, {}, "info", { interfaces: () => [] }]) {
    assert.is((await rejection(d.createEndpoint("net", "end", wrong as never))).code, "ERR_BAD_OPTIONS");
  }
  await d.createEndpoint("net", "end", new EndpointConfig());
  for (const wrong of [undefined, null, {}, 1])
    assert.is((await rejection(d.join("net", "end", "box", wrong as never))).code, "ERR_BAD_OPTIONS");
});

test("what a platform's own EndpointInfo or JoinInfo gives is checked by the contract's rules, before the driver is asked", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  await d.createNetwork("net");
  await d.createEndpoint("net", "end", new EndpointConfig());
  const asked = s.notes.length;
  const one = (id: unknown, mac = "", ipv4 = "", ipv6 = ""): object => ({
    id: () => id,
    macAddress: () => mac,
    address: () => ipv4,
    addressIPv6: () => ipv6,
  });
  for (const [given, code] of [
    [[one("0")], "ERR_INTERFACE_ID"],
    [[one(0, "x")], "ERR_BAD_MAC"],
    [[one(0, "", "10.1.0.2")], "ERR_BAD_ADDRESS"],
    [[one(0, "", "fd00::2/64")], "ERR_ADDRESS_FAMILY"],
    [[one(0), one(0)], "ERR_INTERFACE_EXISTS"],
  ] as const) {
    const info = { interfaces: () => given, addInterface() {} } as unknown as EndpointInfo;
    assert.is((await rejection(d.createEndpoint("net", "new", info))).code, code);
  }
  for (const [given, code] of [
    [[one("0")], "ERR_INTERFACE_ID"],
    [[one(0), one(0)], "ERR_INTERFACE_EXISTS"],
  ] as const) {
    const info = Object.assign(new JoinConfig(), { interfaceNames: () => given }) as unknown as JoinInfo;
    assert.is((await rejection(d.join("net", "end", "box", info))).code, code);
  }
  assert.is(s.notes.length, asked);
  await d.createEndpoint("net", "new", new EndpointConfig());
  await d.join("net", "end", "box", new JoinConfig());
});

test.run();
