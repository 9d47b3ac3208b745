/** Every rule of a firewall grant, by the attack that works without it, on both backends. */
import type { Json } from "#dist/driverapi/json.js";
import type { Listener } from "#dist/permissions/firewall/backend.js";
import type { FirewallLimits } from "#dist/permissions/firewall/grant.js";
import type { FirewallRule } from "#dist/permissions/firewall/rule.js";
import { RULES } from "#dist/permissions/firewall/rules.js";
import type { Change } from "#dist/permissions/netlink/backend.js";
import { assert, rejection, suite } from "../../harness.js";
import { CARD, LIMITS_FOR_TESTS, onBoth, ruleOf } from "../netlink/backends.js";
import { bridgeOf, firewallBench } from "./backends.js";

const test = suite("permissions/firewall/rules");

interface Attack {
  readonly rule: string;
  readonly what: string;
  readonly ask: readonly [string, ...Json[]];
  /** What the refusal must show. */
  readonly shows: string;
  /** What the plugin has been given before. */
  readonly first?: readonly (readonly [string, ...Json[]])[];
  readonly host?: readonly Change[];
  readonly listens?: Listener;
  readonly limits?: Partial<FirewallLimits>;
  /** Past the rules it can be done: the same rule, programmed. */
  readonly works?: FirewallRule;
}

const WEB = { bridge: "bh-b", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 } as const;

const publish = (
  rule: string,
  what: string,
  change: Record<string, Json>,
  shows: string,
  more: Partial<Attack> = {},
) => ({
  rule,
  what,
  ask: ["publish", { ...WEB, ...change }] as const,
  shows,
  ...more,
});

const masquerade = (rule: string, what: string, subnet: string, bridge = "bh-b"): Attack => ({
  rule,
  what,
  ask: ["masquerade", { bridge, subnet }],
  shows: JSON.stringify(rule === "bridge" ? bridge : subnet),
});

const API = { bridge: "bh-b", to: "192.0.2.1", protocol: "tcp", port: 443 } as const;

const allowing = (
  rule: string,
  what: string,
  change: Record<string, Json>,
  shows: string,
  more: Partial<Attack> = {},
): Attack => ({
  rule,
  what,
  first: [["isolate", { bridge: "bh-b", outgoing: "allowed" }]],
  ask: ["allow", { ...API, ...change }],
  shows,
  ...more,
});

const OVER = { bridge: "bh-b", tunnel: "bh-x", subnet: "10.64.1.0/24", network: "10.64.0.0/16" } as const;

const connecting = (
  rule: string,
  what: string,
  change: Record<string, Json>,
  shows: string,
  more: Partial<Attack> = {},
): Attack => ({ rule, what, ask: ["connect", { ...OVER, ...change }], shows, ...more });

const LAN: readonly Change[] = [...CARD, { op: "addAddress", name: "eth0", address: "192.0.2.2/24" }];

const ATTACKS: readonly Attack[] = [
  publish("fields", "a device of its choice", { device: "eth0" }, '"device"'),
  {
    rule: "fields",
    what: "a table of its choice",
    ask: ["isolate", { bridge: "bh-b", table: "nat" }],
    shows: '"table"',
  },
  {
    rule: "fields",
    what: "__proto__",
    ask: ["isolate", JSON.parse('{"bridge":"bh-b","__proto__":{}}')],
    shows: "__proto__",
  },
  { rule: "shape", what: "no object", ask: ["publish", "tcp/8080"], shows: '"tcp/8080"' },
  { rule: "shape", what: "no bridge", ask: ["isolate", {}], shows: "bridge" },
  publish("shape", "a port in words", { hostPort: "8080" }, '"8080"'),
  publish("shape", "half a port", { port: 80.5 }, "80.5"),
  { rule: "shape", what: "a kind that does not exist", ask: ["withdraw", { kind: "flush" }], shows: '"flush"' },
  { rule: "shape", what: "an inherited kind", ask: ["withdraw", { kind: "constructor" }], shows: '"constructor"' },

  masquerade("bridge", "a card of the machine's", "10.64.1.0/24", "eth0"),
  masquerade("bridge", "a bridge that is not there", "10.64.1.0/24", "bh-none"),
  masquerade("bridge", "a link that is not a bridge", "10.64.1.0/24", "bh-v"),
  publish("bridge", "a name with the wildcard nft knows", { bridge: "bh-*" }, '"bh-*"'),
  publish("bridge", "a name that would end its line", { bridge: 'bh-b" accept; #' }, "accept"),
  {
    rule: "bridge",
    what: "a bridge with the plugin's prefix that it did not make",
    host: [{ op: "add", link: { kind: "bridge", name: "bh-other" } }],
    ask: ["isolate", { bridge: "bh-other", internal: true }],
    shows: '"bh-other"',
    works: { kind: "isolate", bridge: "bh-other", internal: true },
  },

  masquerade("address", "a subnet that does not parse", "10.64.1.0"),
  masquerade("address", "nft's set of everything", "{ 0.0.0.0/0 }"),
  publish("address", "an address that does not parse", { ip: "10.64.1.2; flush ruleset" }, "flush"),
  publish("address", "an address of the host's that does not parse", { hostIP: "@all" }, '"@all"'),

  masquerade("special", "everything", "0.0.0.0/0"),
  masquerade("special", "loopback", "127.0.0.0/8"),
  masquerade("special", "link-local", "fe80::/64"),
  publish("special", "the host's loopback as target", { ip: "127.0.0.1" }, '"127.0.0.1"'),
  publish("special", "the cloud's metadata as target", { ip: "169.254.169.254" }, '"169.254.169.254"'),
  publish("special", "multicast", { ip: "224.0.0.251" }, '"224.0.0.251"'),
  publish("address", "the host's loopback in IPv6's clothes", { hostIP: "::ffff:127.0.0.1" }, "127.0.0.1"),
  publish("host-address", "loopback of the other family", { hostIP: "::1" }, '"::1"'),

  masquerade("subnet", "somebody else's network", "192.168.0.0/24"),
  masquerade("subnet", "a network wider than the grant", "10.0.0.0/8"),
  publish("subnet", "a machine elsewhere: the host would be its relay", { ip: "198.51.100.7" }, '"198.51.100.7"', {
    works: { kind: "publish", ...WEB, ip: "198.51.100.7" },
  }),

  masquerade("network", "a network of the grant's that is not the bridge's", "10.65.0.0/24"),
  masquerade("network", "more than the bridge's network", "10.64.0.0/16"),
  publish("network", "an address of the grant's beyond the bridge", { ip: "10.65.0.2" }, '"10.65.0.2"'),
  publish("network", "the bridge's own address: a service of the host's", { ip: "10.64.1.1" }, '"10.64.1.1"', {
    works: { kind: "publish", ...WEB, ip: "10.64.1.1" },
  }),

  publish("protocol", "a protocol without ports", { protocol: "icmp" }, '"icmp"'),
  publish("protocol", "a protocol that would be an expression", { protocol: "th" }, '"th"'),

  publish("port", "the host's ssh", { hostPort: 22 }, "22", { works: { kind: "publish", ...WEB, hostPort: 22 } }),
  publish("port", "one past a range", { hostPort: 9000 }, "9000"),
  publish("port", "port nought of the host", { hostPort: 0 }, "port 0"),
  publish("port", "a port past the last", { port: 65_536 }, "65536"),
  publish("port", "a negative port", { port: -1 }, "-1"),

  publish(
    "host-address",
    "an address that is not the host's: its traffic would be diverted",
    { hostIP: "192.0.2.9" },
    '"192.0.2.9"',
    {
      host: LAN,
      works: { kind: "publish", ...WEB, hostIP: "192.0.2.9" },
    },
  ),
  publish("host-address", "an address of the other family", { hostIP: "2001:db8::1" }, '"2001:db8::1"'),
  publish("host-address", "an address of another plugin's bridge", { hostIP: "10.80.0.1" }, '"10.80.0.1"', {
    works: { kind: "publish", ...WEB, hostIP: "10.80.0.1" },
  }),

  publish("taken", "its own port, for another target", { ip: "10.64.1.3" }, "8080", { first: [["publish", WEB]] }),
  publish("taken", "the port of another plugin", { hostPort: 8100 }, "another plugin"),
  publish(
    "taken",
    "the port of another plugin, in the other family",
    { hostPort: 8100, ip: "fd64:0:1::2" },
    "another plugin",
  ),
  publish(
    "taken",
    "the port of another plugin, on one address",
    { hostPort: 8100, hostIP: "192.0.2.2" },
    "another plugin",
    {
      host: LAN,
    },
  ),
  {
    rule: "taken",
    what: "an internal bridge opened without a withdrawal",
    first: [["isolate", { bridge: "bh-b", internal: true }]],
    ask: ["isolate", { bridge: "bh-b" }],
    shows: "other settings",
  },

  allowing("shape", "a time in words", { seconds: "60" }, '"60"'),
  allowing("fields", "a set of its choice", { set: "@all" }, '"set"'),
  allowing("bridge", "a card of the machine's", { bridge: "eth0" }, '"eth0"'),
  allowing("bridge", "another plugin's bridge", { bridge: "ot-b" }, '"ot-b"', {
    works: { kind: "allow", ...API, bridge: "ot-b" },
  }),
  allowing("address", "nft's set of everything", { to: "{ 0.0.0.0/0 }" }, "0.0.0.0/0"),
  allowing("address", "an address that would end its line", { to: "192.0.2.1; flush ruleset" }, "flush"),
  allowing("address", "IPv4 in IPv6's clothes", { to: "::ffff:192.0.2.1" }, "::ffff:192.0.2.1"),
  allowing("address", "a network with host bits", { to: "10.9.0.1/16" }, "10.9.0.1/16"),
  allowing("special", "everything", { to: "0.0.0.0/0" }, '"0.0.0.0/0"', {
    works: { kind: "allow", ...API, to: "0.0.0.0/0" },
  }),
  allowing("special", "the cloud's metadata", { to: "169.254.169.254" }, '"169.254.169.254"', {
    works: { kind: "allow", ...API, to: "169.254.169.254" },
  }),
  allowing("special", "the host's loopback", { to: "127.0.0.1" }, '"127.0.0.1"'),
  allowing("special", "a translated address of the other family", { to: "64:ff9b::a9fe:a9fe" }, "64:ff9b::a9fe:a9fe"),
  allowing("protocol", "a protocol without ports", { protocol: "icmp" }, '"icmp"'),
  allowing("port", "port nought", { port: 0 }, "0 is not a port"),
  allowing("port", "a range past the last port", { lastPort: 65_536 }, "65536"),
  allowing("port", "a range that ends before it begins", { lastPort: 80 }, "443-80"),
  allowing("time", "no time", { seconds: 0 }, "0 seconds"),
  allowing("time", "a time without an end", { seconds: 1e9 }, "1000000000"),
  allowing("time", "a network for some time", { to: "10.9.0.0/16", seconds: 60 }, "one address"),
  allowing("time", "a range for some time", { lastPort: 444, seconds: 60 }, "one port"),
  allowing("time", "a bridge that is not confined", { seconds: 60 }, '"bh-b"', { first: [] }),
  allowing("max", "one rule too many", {}, "granted 1", { limits: { max: 1 } }),

  {
    rule: "outgoing",
    what: "a word that is not known",
    ask: ["isolate", { bridge: "bh-b", outgoing: "all" }],
    shows: '"all"',
  },
  {
    rule: "outgoing",
    what: "an internal bridge that reaches what is allowed",
    ask: ["isolate", { bridge: "bh-b", outgoing: "allowed", internal: true }],
    shows: "internal",
  },
  {
    rule: "taken",
    what: "a confined bridge opened without a withdrawal",
    first: [["isolate", { bridge: "bh-b", outgoing: "allowed" }]],
    ask: ["isolate", { bridge: "bh-b" }],
    shows: "other settings",
  },
  {
    rule: "gateway",
    what: "names resolved by somebody else",
    ask: ["resolve", { bridge: "bh-b", ip: "198.51.100.53" }],
    shows: '"198.51.100.53"',
    works: { kind: "resolve", bridge: "bh-b", ip: "198.51.100.53" },
  },
  {
    rule: "gateway",
    what: "names resolved at another plugin's bridge",
    ask: ["resolve", { bridge: "bh-b", ip: "10.80.0.1" }],
    shows: '"10.80.0.1"',
  },
  {
    rule: "address",
    what: "a resolver that does not parse",
    ask: ["resolve", { bridge: "bh-b", ip: "@all" }],
    shows: '"@all"',
  },

  connecting("fields", "a mark of its choice", { mark: 1 }, '"mark"'),
  connecting("address", "a network that would be an expression", { network: "any" }, '"any"'),
  connecting("special", "the cloud's metadata behind the tunnel", { network: "169.254.0.0/16" }, '"169.254.0.0/16"'),
  connecting("subnet", "everything behind the tunnel", { network: "10.0.0.0/8" }, '"10.0.0.0/8"', {
    works: { kind: "connect", ...OVER, network: "10.0.0.0/8" },
  }),
  connecting("network", "a subnet that another bridge has", { subnet: "10.64.2.0/24" }, '"10.64.2.0/24"'),
  connecting("tunnel", "a card of the machine's", { tunnel: "eth0" }, '"eth0"', {
    host: LAN,
    works: { kind: "connect", ...OVER, tunnel: "eth0" },
  }),
  connecting("tunnel", "another plugin's link", { tunnel: "ot-b" }, '"ot-b"', {
    works: { kind: "connect", ...OVER, tunnel: "ot-b" },
  }),
  connecting("tunnel", "a wildcard", { tunnel: "bh-*" }, '"bh-*"'),
  connecting("tunnel", "a link that is not a vxlan", { tunnel: "bh-v" }, '"bh-v"'),
  connecting("tunnel", "a network beside the bridge's subnet", { network: "10.65.0.0/16" }, '"10.65.0.0/16"'),
  connecting("taken", "more of the network without a withdrawal", { network: "10.64.0.0/15" }, "other settings", {
    first: [["connect", OVER]],
  }),

  publish("listener", "a port the host listens on", {}, "8080", {
    listens: { protocol: "tcp", ip: undefined, port: 8080 },
    works: { kind: "publish", ...WEB },
  }),
  publish("listener", "a port the host listens on at one address", {}, "8080", {
    listens: { protocol: "tcp", ip: "127.0.0.1", port: 8080 },
  }),
  publish("listener", "the host's name server", { protocol: "udp", hostPort: 53 }, "53", {
    listens: { protocol: "udp", ip: "127.0.0.1", port: 53 },
  }),

  publish("max", "one rule too many", { hostPort: 8081 }, "granted 2", {
    limits: { max: 2 },
    first: [
      ["publish", WEB],
      ["isolate", { bridge: "bh-b" }],
    ],
  }),
];

for (const attack of ATTACKS) {
  onBoth(test, `${attack.rule}: ${attack.what}`, async (t, kind) => {
    const { ask, open, fire, openFire, host, rules, listen } = await firewallBench(t, kind, attack.limits);
    await bridgeOf(ask, "bh-b", "10.64.1.1/24", "fd64:0:1::1/64");
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
    await ask("createLink", { kind: "vxlan", name: "bh-x", vni: 100, remote: "192.0.2.7" });
    await bridgeOf(open("other", { prefix: "ot" }), "ot-b", "10.80.0.1/24");
    const other = openFire("other", { max: 64 }, { ...LIMITS_FOR_TESTS, prefix: "ot" });
    await other("publish", { ...WEB, bridge: "ot-b", ip: "10.80.0.2", hostPort: 8100 });
    await host(...(attack.host ?? []));
    for (const [method, ...args] of attack.first ?? []) await fire(method, ...args);
    if (attack.listens) await listen(t, attack.listens);

    const before = await fire("rules");
    const [method, ...args] = attack.ask;
    const error = await rejection(fire(method, ...args));
    assert.is(error.code, "ERR_FIREWALL_REFUSED", error.message);
    assert.is(error.kind, "Forbidden");
    assert.is(ruleOf(error), attack.rule, error.message);
    assert.ok(error.message.includes(attack.shows), `${error.message} does not show ${attack.shows}`);
    assert.ok(!/[\n\0]/.test(error.message), "the message is one line");
    assert.equal(await fire("rules"), before, "nothing has changed");

    // Past the rules, it is done.
    const table = { name: "bulkhead_test_bridge", prefix: "bh", uplinks: [], allowed: [] };
    if (attack.works) await rules.program([{ ...table, rules: [attack.works] }], []);
  });
}

onBoth(test, "bridge: without a netlink grant there is no bridge, and no subnet", async (t, kind) => {
  const { openFire } = await firewallBench(t, kind);
  const alone = openFire("alone", {}, "none");
  assert.is(ruleOf(await rejection(alone("isolate", { bridge: "bh-b" }))), "bridge");
});

onBoth(test, "bridge: another plugin's, whose rules are neither seen nor withdrawn", async (t, kind) => {
  const { ask, fire, openFire } = await firewallBench(t, kind);
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("publish", WEB);
  const other = openFire("other", {}, { ...LIMITS_FOR_TESTS, prefix: "ot" });
  for (const [method, spec] of [
    ["publish", { ...WEB, hostPort: 8081 }],
    ["masquerade", { bridge: "bh-b", subnet: "10.64.1.0/24" }],
    ["isolate", { bridge: "bh-b" }],
  ] as const) {
    assert.is(ruleOf(await rejection(other(method, spec))), "bridge");
  }
  await other("withdraw", { kind: "publish", ...WEB });
  assert.equal(await other("rules"), []);
  assert.equal(await fire("rules"), [{ kind: "publish", ...WEB }]);
});

onBoth(test, "taken: of two that ask for one port in one turn, the first has it", async (t, kind) => {
  const { ask, fire } = await firewallBench(t, kind);
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  const [, error] = await Promise.all([fire("publish", WEB), rejection(fire("publish", { ...WEB, ip: "10.64.1.3" }))]);
  assert.is(ruleOf(error), "taken");
});

test("every rule has an attack", () => {
  const attacked = new Set(ATTACKS.map(({ rule }) => rule));
  assert.equal(
    RULES.map(({ id }) => id).filter((id) => !attacked.has(id)),
    [],
  );
});

test.run();
