/** Whose turn it is: a plugin that asks for much, or without end, does not hold up another one. */

import type { FirewallChange, FirewallRow } from "#dist/permissions/firewall/ledger.js";
import { FIREWALL } from "#dist/permissions/firewall/limits.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { type Asked, LIMITS_FOR_TESTS } from "../netlink/backends.js";
import { bridgeOf, firewallBench } from "./backends.js";

const test = suite("permissions/firewall/turns");

/** Notes whose changes each batch writes: one letter per change. */
class NotingLedger extends MemoryLedger<FirewallRow> {
  readonly batches: string[] = [];
  override write(changes: readonly FirewallChange[]): Promise<void> {
    this.batches.push(changes.map((one) => ("put" in one ? one.put.plugin : one.drop).charAt(0)).join(""));
    return super.write(changes);
  }
}

/** Two plugins, "greedy" and "modest", each with a bridge and as many rules as it likes. */
async function two(t: TestContext) {
  const ledger = new NotingLedger();
  const { open, openFire } = await firewallBench(t, "model", { ports: ["1-9999"], max: 4096 }, { ledger });
  const plugin = async (name: string, net: number): Promise<(port: number, op?: string) => ReturnType<Asked>> => {
    const prefix = name.slice(0, 2);
    const fire = openFire(name, {}, { ...LIMITS_FOR_TESTS, prefix });
    const bridge = `${prefix}-b`;
    await bridgeOf(open(name, { prefix }), bridge, `10.64.${net}.1/24`);
    return (hostPort, op = "publish") => {
      const port = { bridge, protocol: "tcp", hostPort, ip: `10.64.${net}.2`, port: 80 };
      return fire(op, op === "withdraw" ? { kind: "publish", ...port } : port);
    };
  };
  return { ledger, greedy: await plugin("greedy", 1), modest: await plugin("modest", 2) };
}

const many = (ask: (port: number) => ReturnType<Asked>, from: number, count: number): readonly ReturnType<Asked>[] =>
  Array.from({ length: count }, (_, n) => ask(from + n));

test("one request beside hundreds of another plugin's is answered in the first batch", async (t) => {
  const { ledger, greedy, modest } = await two(t);
  let answered = 0;
  const all = many(greedy, 1000, 4 * FIREWALL.batch).map((one) => one.then(() => answered++));
  await modest(8000);
  assert.ok(answered < FIREWALL.batch, `${answered} of the other's were answered before`);
  await Promise.all(all);
  assert.is(ledger.batches[0]?.replaceAll("g", ""), "m");
  assert.is(ledger.batches.join("").length, 4 * FIREWALL.batch + 1, "each has its answer");
});

test("of two plugins that ask for hundreds each has half of a batch, in its own order", async (t) => {
  const { ledger, greedy, modest } = await two(t);
  const order: number[] = [];
  const asked = [...many(greedy, 1000, 2 * FIREWALL.batch), ...many(modest, 5000, FIREWALL.batch)];
  await Promise.all(asked.map((one, n) => one.then(() => order.push(n))));
  assert.is(ledger.batches[0], "gm".repeat(FIREWALL.batch / 2));
  const own = order.filter((n) => n < 2 * FIREWALL.batch);
  assert.equal(
    own,
    [...own].sort((a, b) => a - b),
  );
});

test("ports are given back in the batch after, whatever another plugin has still to publish", async (t) => {
  const { ledger, greedy, modest } = await two(t);
  await modest(8000);
  ledger.batches.length = 0;
  let answered = 0;
  const all = many(greedy, 1000, 4 * FIREWALL.batch).map((one) => one.then(() => answered++));
  await modest(8000, "withdraw");
  assert.is(answered, FIREWALL.batch);
  await Promise.all(all);
  assert.equal(
    ledger.batches.slice(0, 3).map((one) => one.charAt(0)),
    ["g", "m", "g"],
  );
});

test.run();
