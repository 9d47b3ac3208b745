/** The contract's rules: a driver that keeps them passes all of them, and each is broken by some fault. */
import "../kit/bundles.js";
import { AssertionError } from "node:assert";
import { type ContractOptions, driverContract } from "#dist/testing.js";
import { assert, rejection, suite } from "../harness.js";
import { thrown } from "../kit/host.js";
import { type Fault, reference } from "./reference.js";

const test = suite("testing: the contract");

/** Rounds enough to use a /24 up. */
const OPTIONS = { rounds: 260 } as const;

/** Rules with `METHOD` at their end, one per method. */
const FOLLOWS: Fault = [
  "endpoint(nid, eid).address }",
  "(networks.get(nid)?.endpoints.get(eid) ?? {}).address ?? null }",
];
const dying: Fault = [
  "start",
  'if (await powers.store.get("again")) throw new Error("once only"); await powers.store.set("again", true);',
];
const hanging = (method: string): readonly Fault[] => [
  [`    ${method}(`, `    async ${method}(`],
  [
    `/* ${method} */`,
    "await new Promise((go) => setTimeout(go, 20)); if (ctx.signal.aborted) await new Promise(() => {});",
  ],
];

/** What breaks each rule. */
const FAULTS: Readonly<Record<string, readonly Fault[]>> = {
  "nine-methods": [["leave", 'fail("Internal", "no leaving")']],
  type: [['type: () => "reference"', 'type: () => "other"']],
  "registers-again": [dying],
  config: [["config", 'if (networks.size > 0) fail("Forbidden", "too late")']],
  "create-network": [["createNetwork", 'fail("Internal", "no")']],
  "networks-apart": [["createNetwork", 'if (networks.size > 0) fail("Forbidden", "only one")']],
  "delete-network": [["createNetwork", 'if (made > 0) fail("Forbidden", "once only")']],
  "networks-leave-nothing": [["createNetwork", 'if (made > 100) fail("Forbidden", "full")']],
  "empty-list-is-populated": [["let n = 2", "let n = 0"]],
  "interface-ids": [
    ["/* createEndpoint */", 'if (!given && endpoints.size === 1) epInfo.addInterface(5, "", "", "");'],
  ],
  "addresses-are-unique": [["taken.add(address);", ""]],
  "addresses-stay-unique": [
    [
      "given ? given.address() : free({ taken })",
      'given ? given.address() : "10.99.0." + (endpoints.size + 2) + "/24"',
    ],
  ],
  "given-list-is-consumed": [["/* createEndpoint */", 'if (given) fail("BadRequest", "no given lists");']],
  "given-list-is-not-added-to": [["if (!given) epInfo.addInterface", "epInfo.addInterface"]],
  "given-addresses-are-taken": [["taken.add(address);", "if (!given) taken.add(address);"]],
  "oper-info": [["endpointOperInfo", 'if (endpoint(nid, eid).sandbox) return ["joined"];']],
  "delete-endpoint": [["/* createEndpoint */", 'if (given && made < 9) fail("Forbidden", "taken");']],
  "endpoints-leave-nothing": [["network(nid).taken.delete(address);", ""]],
  join: [["/* join */", 'fail("Internal", "no")']],
  "join-names-interfaces": [['"eth"', '""']],
  "join-names-own-links": [['source = "ref" + eid.slice(0, 8)', 'source = "same"']],
  "join-gateway": [["/* join */", 'gateway = one.address.split("/")[0];']],
  "join-given": [["/* join */", 'if (one.given) fail("Internal", "no")']],
  leave: [["/* join */", 'if (one.left) gateway = "10.99.0.254";']],
  program: [["revoke", 'fail("Internal", "no")']],
  "program-again": [["program", 'if (published.has(eid)) fail("Forbidden", "published already");']],
  "revoke-twice": [["revoke", 'if (!published.has(eid)) fail("NotFound", "nothing is published");']],
  "delete-programmed": [
    ["      published.delete(eid);\n    },\n    endpointOperInfo", "    },\n    endpointOperInfo"],
    ["program", 'if (published.has(eid)) fail("Forbidden", "published already");'],
  ],
  "restart-keeps-programmed": [["program", 'if (ctx.replay) fail("Internal", "no");']],
  "network-of-the-endpoint": [
    [
      "network(nid).endpoints.get(eid) ??",
      "[...networks.values()].map((one) => one.endpoints.get(eid)).find(Boolean) ??",
    ],
  ],
  "unknown-network-deleteNetwork": [["if (network(nid).endpoints", "if (networks.get(nid)?.endpoints"]],
  "unknown-network-createEndpoint": [
    [
      "const { endpoints, taken } = network(nid);",
      "const { endpoints, taken } = networks.get(nid) ?? { endpoints: new Map(), taken: new Set() };",
    ],
  ],
  "unknown-network-deleteEndpoint": [["deleteEndpoint", "if (!networks.has(nid)) return;"]],
  "unknown-endpoint-deleteEndpoint": [["deleteEndpoint", "if (!network(nid).endpoints.has(eid)) return;"]],
  "unknown-network-endpointOperInfo": [["endpointOperInfo", "if (!networks.has(nid)) return {};"]],
  "unknown-endpoint-endpointOperInfo": [FOLLOWS],
  "unknown-network-join": [
    [
      "const one = endpoint(nid, eid);\n      let",
      "const one = networks.has(nid) ? endpoint(nid, eid) : {};\n      let",
    ],
  ],
  "unknown-endpoint-join": [
    ["const one = endpoint(nid, eid);\n      let", "const one = network(nid).endpoints.get(eid) ?? {};\n      let"],
  ],
  "unknown-network-leave": [["leave", "if (!networks.has(nid)) return;"]],
  "unknown-endpoint-leave": [["leave", 'if (!network(nid).endpoints.has(eid)) fail("Internal", "whose?");']],
  "duplicate-network": [['if (networks.has(nid)) fail("Forbidden", "network exists");', ""]],
  "duplicate-endpoint": [['if (endpoints.has(eid)) fail("Forbidden", "endpoint exists");', ""]],
  "network-in-use": [['if (network(nid).endpoints.size > 0) fail("Forbidden", "network in use");', "network(nid);"]],
  "deletes-twice": [["network(nid).endpoints.delete(eid);", ""]],
  "restart-keeps-addresses": [["taken.add(address);", "if (!ctx.replay) taken.add(address);"]],
  "restart-keeps-joins": [["/* join */", 'if (ctx.replay) gateway = "10.99.0.254";']],
  "restart-before-createNetwork": [dying],
  "restart-before-createEndpoint": [["createNetwork", 'if (ctx.replay) fail("Internal", "no");']],
  "restart-before-endpointOperInfo": [["/* createEndpoint */", 'if (ctx.replay) fail("Internal", "no");']],
  "restart-before-join": [["/* createEndpoint */", 'if (ctx.replay) fail("Internal", "no");']],
  "restart-before-leave": [["/* join */", 'if (ctx.replay) fail("Internal", "no");']],
  "restart-before-deleteEndpoint": [dying],
  "restart-before-deleteNetwork": [dying],
  ...Object.fromEntries(
    ["createNetwork", "createEndpoint", "endpointOperInfo", "join", "leave", "deleteEndpoint", "deleteNetwork"].flatMap(
      (method) => [
        [`restart-during-${method}`, [dying]],
        [`abort-${method}`, hanging(method)],
      ],
    ),
  ),
};

/** Short deadlines for drivers that hang. */
const HURRIED: Partial<ContractOptions> = { policy: { timeouts: { default: 200 } } };

test(
  "a driver that keeps them passes every rule",
  async (t) => {
    const rules = driverContract({ plugin: await reference(t), ...OPTIONS });
    assert.ok(rules.length > 60);
    assert.is(new Set(rules.map(({ id }) => id)).size, rules.length);
    for (const rule of rules) await rule.run();
  },
  { ms: 420_000 },
);

test("every rule says what must hold, and cites the seed", () => {
  for (const { id, says, seed, group } of driverContract({ plugin: "x.js" })) {
    assert.match(id, /^[a-z][A-Za-z-]+$/);
    assert.match(says, /^[A-Za-z].*\.$/s, id);
    assert.ok(seed.length > 20 && group.length > 3, id);
  }
});

test("every rule has its fault", () => {
  const ids = driverContract({ plugin: "x.js" }).map(({ id }) => id);
  assert.equal(Object.keys(FAULTS).sort(), [...ids].sort());
});

for (const [id, faults] of Object.entries(FAULTS)) {
  test(
    `broken: ${id}`,
    async (t) => {
      const plugin = await reference(t, ...faults);
      const hurried = id.startsWith("abort-") ? HURRIED : {};
      const rule = driverContract({ plugin, ...OPTIONS, ...hurried }).find((one) => one.id === id);
      if (!rule) throw new Error(`there is no rule ${id}`);
      const error = await rejection(rule.run());
      // A driver that cannot even be registered fails before any rule of its own.
      if (id === "type") return assert.match(error.message, /type\(\) gives "other"/);
      assert.instance(error, AssertionError, error.message);
      const [first, second, third] = error.message.split("\n");
      assert.ok(first?.startsWith(`${id}: `), error.message);
      assert.equal([second, third], [`  the rule: ${rule.says}`, `  the seed: ${rule.seed}`]);
      if (process.env.BULKHEAD_TEST_LOG) console.log(first);
    },
    { ms: 90_000 },
  );
}

test("exceptions are named, and none is for a rule there is not", async () => {
  const all = driverContract({ plugin: "x.js" });
  const rest = driverContract({ plugin: "x.js", except: { "network-in-use": "there is one for ever" } });
  assert.equal(
    all.filter((rule) => !rest.some(({ id }) => id === rule.id)).map(({ id }) => id),
    ["network-in-use"],
  );
  const error = thrown(() => driverContract({ plugin: "x.js", except: { "no-rule": "?" } }));
  assert.equal([error.code, /"no-rule"/.test(error.message)], ["ERR_OPTIONS", true]);
});

test.run();
