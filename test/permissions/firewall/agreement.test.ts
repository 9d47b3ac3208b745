/** nftables and model, driven with the same random calls, valid and not: they agree in every result and every error. */
import fc from "fast-check";
import type { Json } from "#dist/driverapi/json.js";
import type { FirewallRule } from "#dist/permissions/firewall/rule.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { noKernel, ruleOf } from "../netlink/backends.js";
import { bridgeOf, type FirewallBench, firewallBench, ruleset } from "./backends.js";

const test = suite("permissions/firewall/agreement");

type Call = readonly [string, ...Json[]];

/** Mostly what can be done, now and then what cannot. */
const mostly = (good: readonly Json[], bad: readonly Json[]): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });

const bridge = mostly(["bh-a", "bh-b"], ["bh-c", "lo", "bh-*", 'bh-a"']);
const masquerade = fc.record({
  bridge,
  subnet: mostly(["10.64.1.0/24", "fd64:0:1::/64", "10.64.2.0/24"], ["0.0.0.0/0", "x"]),
});
const isolate = fc.record({
  bridge,
  internal: mostly([true, false, null], ["yes"]),
  outgoing: mostly([null, null, "allowed"], ["all", true]),
});
const allow = fc.record({
  bridge,
  to: mostly(["192.0.2.1", "2001:db8::1", "10.9.0.0/16"], ["0.0.0.0/0", "::ffff:192.0.2.1", "x"]),
  protocol: mostly(["tcp", "udp"], ["icmp"]),
  port: mostly([80, 443], [0]),
  lastPort: mostly([null, null, 8080], [1]),
  seconds: mostly([null, 60, 3600], [0, 1e9]),
});
const resolve = fc.record({ bridge, ip: mostly(["10.64.1.1", "10.64.2.1", "fd64:0:1::1"], ["8.8.8.8", "x"]) });
const connect = fc.record({
  bridge,
  tunnel: mostly(["bh-x"], ["bh-a", "bh-none", "eth0"]),
  subnet: mostly(["10.64.1.0/24", "fd64:0:1::/64"], ["10.64.2.0/24", "x"]),
  network: mostly(["10.64.0.0/16", "fd64::/48"], ["10.0.0.0/8", "x"]),
});
const publish = fc.record(
  {
    bridge,
    protocol: mostly(["tcp", "udp", "sctp"], ["icmp"]),
    hostIP: mostly(["10.64.1.1", "fd64:0:1::1", "127.0.0.1", "::1", ""], ["127.9.9.9", "192.0.2.1", "*"]),
    hostPort: mostly([8000, 8001], [22, 0, 70_000]),
    ip: mostly(["10.64.1.2", "10.64.2.2", "fd64:0:1::2"], ["10.64.1.1", "8.8.8.8"]),
    port: mostly([80, 81], [0]),
  },
  { requiredKeys: ["bridge", "protocol", "hostPort", "ip", "port"] },
);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 3, arbitrary: masquerade.map((spec): Call => ["masquerade", spec]) },
  { weight: 2, arbitrary: isolate.map((spec): Call => ["isolate", spec]) },
  { weight: 3, arbitrary: allow.map((spec): Call => ["allow", spec]) },
  { weight: 1, arbitrary: resolve.map((spec): Call => ["resolve", spec]) },
  { weight: 2, arbitrary: connect.map((spec): Call => ["connect", spec]) },
  { weight: 5, arbitrary: publish.map((spec): Call => ["publish", spec]) },
  {
    weight: 3,
    arbitrary: fc
      .oneof(
        masquerade.map((spec) => ({ kind: "masquerade", ...spec })),
        isolate.map((spec) => ({ kind: "isolate", ...spec })),
        allow.map((spec) => ({ kind: "allow", ...spec })),
        resolve.map((spec) => ({ kind: "resolve", ...spec })),
        connect.map((spec) => ({ kind: "connect", ...spec })),
        publish.map((spec) => ({ kind: "publish", ...spec })),
      )
      .map((rule): Call => ["withdraw", rule as Json]),
  },
  { weight: 1, arbitrary: fc.constant<Call>(["rules"]) },
);

/** What came of it: the answer, or the code, the rule and the words. */
async function outcome({ fire }: FirewallBench, [method, ...args]: Call): Promise<Json> {
  try {
    return await fire(method, ...args);
  } catch (error) {
    const { code = "", message } = error as Error & { code?: string };
    return { code, rule: ruleOf(error as Error) ?? "", message };
  }
}

/** A port of loopback has no rule of the kernel's. */
function programmed(rule: FirewallRule): boolean {
  return (
    rule.kind === "resolve" ||
    (rule.kind === "publish" && !["127.0.0.1", "127.9.9.9", "::1"].includes(rule.hostIP ?? ""))
  );
}

async function prepared(t: TestContext, kind: "kernel" | "model"): Promise<FirewallBench> {
  const bench = await firewallBench(t, kind, { max: 6 });
  await bridgeOf(bench.ask, "bh-a", "10.64.1.1/24", "fd64:0:1::1/64");
  await bridgeOf(bench.ask, "bh-b", "10.64.2.1/24");
  await bench.ask("createLink", { kind: "vxlan", name: "bh-x", vni: 100, remote: "192.0.2.7" });
  return bench;
}

test(
  "every answer is the same, and the kernel holds a table exactly while there are rules",
  async (t) => {
    const [kernel, model] = [await prepared(t, "kernel"), await prepared(t, "model")];
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 8 }), async (calls) => {
        for (const one of calls) {
          assert.equal(await outcome(kernel, one), await outcome(model, one), JSON.stringify(one));
        }
        const rules = (await model.fire("rules")) as Json[];
        assert.equal(await kernel.fire("rules"), rules);
        assert.is((await kernel.rules.tables()).length, rules.length === 0 ? 0 : 1);
        assert.is((await model.rules.tables()).length, rules.length === 0 ? 0 : 1);
        const dnats = rules.filter((rule) => programmed(rule as unknown as FirewallRule)).length;
        assert.is(
          (ruleset(kernel.netns).match(/ dnat ip6? to /g) ?? []).length,
          2 * dnats,
          "the kernel's table is of these rules",
        );
        for (const { fire, firewall } of [kernel, model]) {
          await fire("rules");
          await firewall.release("bridge");
        }
      }),
      { numRuns: 25 },
    );
  },
  { ms: 90_000, needs: noKernel },
);

test.run();
