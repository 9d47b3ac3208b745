/** Many allowed addresses: the bounds of a bridge and of a table, the same one twice, and a plugin whose table takes no more. */
import { AllowedAddresses, type TimedRule } from "#dist/permissions/firewall/allowed.js";
import { failed } from "#dist/permissions/firewall/errors.js";
import { FIREWALL } from "#dist/permissions/firewall/limits.js";
import { assert, rejection, suite } from "../../harness.js";
import { LIMITS_FOR_TESTS, onBoth } from "../netlink/backends.js";
import { bridgeOf, firewallBench } from "./backends.js";

const test = suite("permissions/firewall/confine-many");

const timed = (bridge: string, n: number, seconds = 60): TimedRule => ({
  kind: "allow",
  bridge,
  to: `198.${51 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`,
  protocol: "tcp",
  port: 443,
  seconds,
});
const API = { bridge: "bh-b", to: "198.51.100.1", protocol: "tcp", port: 443 } as const;

test("a bridge has its bound, and so has a plugin's table; what ends or is dropped makes room", () => {
  let now = 0;
  const allowed = new AllowedAddresses(() => now);
  const fill = (bridge: string): void => {
    const rules = Array.from({ length: FIREWALL.allowedPerBridge }, (_, n) => timed(bridge, n));
    allowed.put("p", rules);
    // What is put again does not count twice.
    allowed.put("p", rules);
  };
  fill("bh-0");
  assert.match(allowed.obstacle("p", timed("bh-0", 70_000), 0) ?? "", /8192 .*"bh-0"/);
  assert.is(allowed.obstacle("p", timed("bh-0", 5), 0), undefined, "what is allowed can be extended");
  assert.is(allowed.obstacle("p", { ...timed("bh-0", 0), to: "2001:db8::1" }, 0), undefined, "the other family");
  assert.is(allowed.obstacle("p", timed("bh-1", 0), 0), undefined, "another bridge");
  for (let n = 1; n < FIREWALL.allowedPerTable / FIREWALL.allowedPerBridge; n++) fill(`bh-${n}`);
  assert.match(allowed.obstacle("p", timed("bh-9", 0), 0) ?? "", /65536 .*plugin/);
  assert.is(allowed.obstacle("q", timed("bh-9", 0), 0), undefined, "another plugin");
  const restore = allowed.drop("p", [timed("bh-1", 0)]);
  assert.ok(restore);
  restore();
  assert.ok(allowed.obstacle("p", timed("bh-9", 0), 0), "restored, it counts again");
  allowed.drop("p", [timed("bh-1", 0)]);
  assert.is(allowed.obstacle("p", timed("bh-9", 0), 0), undefined);
  assert.ok(allowed.obstacle("p", timed("bh-9", 0), 1), "with one before it in the batch");
  allowed.keepOnly("p", ["bh-0"]);
  assert.is(allowed.obstacle("p", timed("bh-9", 0), 8000), undefined, "the bridges are gone");
  now = 120_000;
  assert.is(allowed.obstacle("p", timed("bh-0", 70_000), 0), undefined, "they have ended");
});

onBoth(
  test,
  "the same address twice in one batch: allowed once, for the longer time, without a new table",
  async (t, kind) => {
    const { ask, fire, rules } = await firewallBench(t, kind);
    await bridgeOf(ask, "bh-b", "10.64.1.1/24");
    await fire("isolate", { bridge: "bh-b", outgoing: "allowed" });
    const programmed: string[] = [];
    const given: (readonly [string, number])[] = [];
    const { program, allow } = rules;
    rules.program = (put, drop) => {
      programmed.push(...put.map(({ name }) => name));
      return program.call(rules, put, drop);
    };
    rules.allow = (table, allowed) => {
      given.push(...allowed.map(({ to, seconds }) => [to, seconds] as const));
      return allow.call(rules, table, allowed);
    };
    await Promise.all([
      fire("allow", { ...API, seconds: 60 }),
      fire("allow", { ...API, seconds: 600 }),
      fire("allow", { ...API, seconds: 30 }),
    ]);
    assert.equal(given, [[API.to, 600 + FIREWALL.slackSeconds]]);
    assert.equal(programmed, []);
  },
);

test("of an address that is allowed and withdrawn in one turn, the last request counts", async (t) => {
  const { ask, fire, rules } = await firewallBench(t, "model");
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("isolate", { bridge: "bh-b", outgoing: "allowed" });
  const given: string[] = [];
  const { allow, program } = rules;
  rules.allow = (table, allowed) => {
    given.push("allow");
    return allow.call(rules, table, allowed);
  };
  rules.program = (put, drop) => {
    given.push(`program ${put.flatMap(({ allowed }) => allowed).length}`);
    return program.call(rules, put, drop);
  };
  const allowIt = (): Promise<unknown> => fire("allow", { ...API, seconds: 60 });
  const withdrawIt = (): Promise<unknown> => fire("withdraw", { kind: "allow", ...API });
  await Promise.all([allowIt(), withdrawIt(), allowIt()]);
  assert.equal(given, ["allow", "program 0", "allow"]);
});

test("a withdrawal that fails can be repeated", async (t) => {
  const { ask, fire, rules } = await firewallBench(t, "model");
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("isolate", { bridge: "bh-b", outgoing: "allowed" });
  await fire("allow", { ...API, seconds: 60 });
  const { program } = rules;
  rules.program = () => Promise.reject(failed(undefined, "program", "Too many open files in system"));
  await rejection(fire("withdraw", { kind: "allow", ...API }));
  let left: number | undefined;
  rules.program = (put, drop) => {
    left = put.flatMap(({ allowed }) => allowed).length;
    return program.call(rules, put, drop);
  };
  await fire("withdraw", { kind: "allow", ...API });
  assert.is(left, 0);
});

test("a plugin whose table takes no more: its own request fails, and the others of the batch do not", async (t) => {
  const { ask, open, fire, openFire, rules } = await firewallBench(t, "model");
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await bridgeOf(open("other", { prefix: "ot" }), "ot-b", "10.80.0.1/24");
  const other = openFire("other", {}, { ...LIMITS_FOR_TESTS, prefix: "ot" });
  await fire("isolate", { bridge: "bh-b", outgoing: "allowed" });
  const [own] = await rules.tables();
  await other("isolate", { bridge: "ot-b", outgoing: "allowed" });
  const full = (await rules.tables()).find((name) => name !== own);
  const { program, allow } = rules;
  rules.allow = async (table, allowed) => {
    if (table === full) throw failed(undefined, "allow", "Too many open files in system");
    await allow.call(rules, table, allowed);
  };
  rules.program = async (put, drop) => {
    if (put.some(({ name }) => name === full)) throw failed(undefined, "program", "Too many open files in system");
    await program.call(rules, put, drop);
  };
  const asked = [
    rejection(other("allow", { ...API, bridge: "ot-b", seconds: 60 })),
    fire("allow", { ...API, seconds: 60 }),
    fire("masquerade", { bridge: "bh-b", subnet: "10.64.1.0/24" }),
  ] as const;
  const [error] = await Promise.all(asked);
  assert.is(error.code, "ERR_FIREWALL_FAILED", error.message);
  assert.match(error.message, /Too many open files/);
});

test.run();
