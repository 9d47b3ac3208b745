/** Every rule of a resolver grant, by the attack that works without it, on both backends. */
import type { Json } from "#dist/driverapi/json.js";
import { parseUpstream, type ResolverLimits } from "#dist/permissions/resolver/grant.js";
import { RULES } from "#dist/permissions/resolver/rules.js";
import { assert, rejection, suite } from "../../harness.js";
import { bridgeOf } from "../firewall/backends.js";
import { onBoth, ruleOf } from "../netlink/backends.js";
import { resolverBench } from "./backends.js";

const test = suite("permissions/resolver/rules");

interface Attack {
  readonly rule: string;
  readonly what: string;
  readonly ask: readonly [string, ...Json[]];
  /** What the refusal must show. */
  readonly shows: string;
  readonly limits?: Partial<ResolverLimits>;
  readonly first?: readonly (readonly [string, ...Json[]])[];
}

const MESSAGE = Buffer.alloc(12).toString("base64");
const listen = (rule: string, what: string, bridge: Json, ip: Json, shows: string): Attack => ({
  rule,
  what,
  ask: ["listen", { bridge, ip }],
  shows,
});
const asking = (rule: string, what: string, change: Record<string, Json>, shows: string): Attack => ({
  rule,
  what,
  ask: ["ask", { server: "192.0.2.53", message: MESSAGE, tcp: false, ...change }],
  shows,
});

const ATTACKS: readonly Attack[] = [
  {
    rule: "fields",
    what: "a port of its choice",
    ask: ["listen", { bridge: "bh-b", ip: "10.64.1.1", port: 22 }],
    shows: '"port"',
  },
  {
    rule: "fields",
    what: "__proto__",
    ask: ["stop", JSON.parse('{"ip":"10.64.1.1","__proto__":{}}')],
    shows: "__proto__",
  },
  { rule: "shape", what: "no object", ask: ["listen", "10.64.1.1"], shows: '"10.64.1.1"' },
  { rule: "shape", what: "no request", ask: ["ask"], shows: "null" },
  listen("shape", "an address that is a number", "bh-b", 10, "10"),
  asking("shape", "a switch in words", { tcp: "yes" }, 'tcp must be a boolean, not "yes"'),
  listen("bridge", "a card of the machine's", "lo", "127.0.0.1", '"lo"'),
  listen("bridge", "another plugin's bridge", "ot-b", "10.80.0.1", '"ot-b"'),
  listen("bridge", "a link that is not a bridge", "bh-v", "10.64.1.1", "veth"),
  listen("address", "every address", "bh-b", "0.0.0.0", '"0.0.0.0"'),
  listen("address", "the host's loopback", "bh-b", "127.0.0.1", '"127.0.0.1"'),
  listen("address", "an address of another bridge", "bh-b", "10.80.0.1", '"10.80.0.1"'),
  listen("address", "an address that does not parse", "bh-b", "10.64.1.1; x", "10.64.1.1; x"),
  asking("upstream", "a server of its choice", { server: "198.51.100.1" }, '"198.51.100.1"'),
  asking("upstream", "a granted server at another port", { server: "192.0.2.53:80" }, '"192.0.2.53:80"'),
  asking("upstream", "a granted server in other words", { server: "192.0.2.53:53@198.51.100.1" }, "@"),
  asking("upstream", "the host's own", { server: "127.0.0.1" }, '"127.0.0.1"'),
  asking("message", "no base64", { message: "{}" }, "base64"),
  asking("message", "more than a query", { message: Buffer.alloc(5000).toString("base64") }, "4096"),
  {
    rule: "max",
    what: "one address too many",
    limits: { max: 1 },
    first: [["listen", { bridge: "bh-b", ip: "10.64.1.1" }]],
    ask: ["listen", { bridge: "bh-b", ip: "10.64.3.1" }],
    shows: "granted 1",
  },
];

for (const attack of ATTACKS) {
  onBoth(test, `${attack.rule}: ${attack.what}`, async (t, kind) => {
    const { ask, open, openResolver } = await resolverBench(t, kind);
    await bridgeOf(ask, "bh-b", "10.64.1.1/24", "10.64.3.1/24");
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
    await bridgeOf(open("other", { prefix: "ot" }), "ot-b", "10.80.0.1/24");
    const { ask: resolve } = openResolver("bridge", attack.limits);
    for (const [method, ...args] of attack.first ?? []) await resolve(method, ...args);
    const [method, ...args] = attack.ask;
    const error = await rejection(resolve(method, ...args));
    assert.is(error.code, "ERR_RESOLVER_REFUSED", error.message);
    assert.is(error.kind, "Forbidden");
    assert.is(ruleOf(error), attack.rule, error.message);
    assert.ok(error.message.includes(attack.shows), `${error.message} does not show ${attack.shows}`);
    assert.ok(!/[\n\0]/.test(error.message), "the message is one line");
  });
}

onBoth(test, "a granted server is asked, in whichever form it is named", async (t, kind) => {
  const { openResolver } = await resolverBench(t, kind);
  const { ask } = openResolver("bridge");
  for (const server of ["192.0.2.53", "192.0.2.53:53", "[2001:db8::53]:5353"]) {
    const error = await rejection(ask("ask", { server, message: MESSAGE, tcp: false }));
    assert.is(error.code, "ERR_RESOLVER_FAILED", error.message);
  }
});

test("upstream servers: forms that are one, and forms that are none", () => {
  assert.equal(parseUpstream("192.0.2.53"), { ip: "192.0.2.53", port: 53 });
  assert.equal(parseUpstream("192.0.2.53:5353"), { ip: "192.0.2.53", port: 5353 });
  assert.equal(parseUpstream("2001:db8::53"), { ip: "2001:db8::53", port: 53 });
  assert.equal(parseUpstream("[2001:db8::53]:5353"), { ip: "2001:db8::53", port: 5353 });
  for (const text of [
    "",
    "dns.example",
    "192.0.2.53:0",
    "192.0.2.53:65536",
    "192.0.2",
    "[::1",
    "::ffff:192.0.2.1",
    "1.2.3.4:",
  ])
    assert.is(parseUpstream(text), undefined, text);
});

test("every rule has an attack", () => {
  const attacked = new Set(ATTACKS.map(({ rule }) => rule));
  assert.equal(
    RULES.map(({ id }) => id).filter((id) => !attacked.has(id)),
    [],
  );
});

test.run();
