/** Every rule of a traffic grant, by the attack that works without it, on both backends; and how amounts are read. */
import fc from "fast-check";
import type { Json } from "#dist/driverapi/json.js";
import { openTraffic } from "#dist/permissions/traffic/choose.js";
import type { TrafficLimits } from "#dist/permissions/traffic/grant.js";
import { ifbMark, ifbOf } from "#dist/permissions/traffic/ledger.js";
import { RULES } from "#dist/permissions/traffic/rules.js";
import { readAmount, SHAPE_FIELDS, type ShapeNumbers } from "#dist/permissions/traffic/shape.js";
import { assert, rejection, suite } from "../../harness.js";
import { CARD, onBoth, ruleOf } from "../netlink/backends.js";
import { lacking, netem, noNetem, noRate, trafficBench } from "./backends.js";

const test = suite("permissions/traffic/rules");

interface Attack {
  readonly rule: string;
  readonly what: string;
  readonly limits?: Partial<TrafficLimits>;
  /** What the plugin has asked for before, and been given. */
  readonly first?: readonly (readonly Json[])[];
  readonly link?: Json;
  readonly shape: Json;
  /** What the refusal must show. */
  readonly shows: string;
  /** The same past the rules: the kernel does it, to the link. Absent where there is no such thing to be done. */
  readonly works?: ShapeNumbers;
}

const RATE = { rate: 1_000_000 };
const field = (key: string, value: Json): Attack => ({
  rule: "fields",
  what: key,
  shape: { rate: "1mbit", [key]: value },
  shows: JSON.stringify(key),
});
const amount = (key: "rate" | "burst" | "delay" | "jitter" | "loss", value: string): Attack => ({
  rule: "amount",
  what: `${key} ${JSON.stringify(value)}`,
  shape: { ...(key === "burst" ? { rate: "1mbit" } : key === "jitter" ? { delay: "1s" } : {}), [key]: value },
  shows: key,
});

/** What is not an amount, or is outside what the permission allows. */
const AMOUNTS: readonly Attack[] = [
  ...[
    "20 mbit",
    "20Mbit",
    "20",
    "mbit",
    "-1mbit",
    "+1mbit",
    "0mbit",
    "1e9bit",
    "0x10mbit",
    "Infinitymbit",
    "٢mbit",
  ].map((text) => amount("rate", text)),
  amount("rate", "20mbit\nqdisc delete dev eth0 root"),
  amount("rate", "20mbit burst 1"),
  amount("rate", "101gbit"),
  amount("rate", "1mbit%"),
  amount("rate", "1.2345mbit"),
  amount("rate", `${"9".repeat(2000)}mbit`),
  amount("rate", "1constructor"),
  amount("burst", "1tb"),
  amount("burst", "65mb"),
  amount("burst", "1b"),
  amount("delay", "40"),
  amount("delay", "40ms 10ms"),
  amount("delay", "-5ms"),
  amount("delay", "11s"),
  amount("jitter", "0us"),
  amount("loss", "1"),
  amount("loss", "101%"),
  amount("loss", "0%"),
  amount("loss", "1%%"),
  amount("loss", "1% corrupt 50%"),
];

const ATTACKS: readonly Attack[] = [
  field("handle", "1:"),
  field("parent", "ffff:"),
  field("dev", "eth0"),
  field("duplicate", "100%"),
  field("corrupt", "100%"),
  field("limit", 1_000_000_000),
  { rule: "form", what: "a list for a link", link: ["bh-v"], shape: { rate: "1mbit" }, shows: "a string" },
  { rule: "form", what: "a text for a shape", shape: "rate 1mbit", shows: "an object" },
  { rule: "form", what: "a number for a rate", shape: { rate: 20 }, shows: "rate" },
  { rule: "form", what: "an object for a delay", shape: { delay: { toString: 1 } }, shows: "delay" },
  { rule: "own", what: "the machine's card", link: "eth0", shape: { rate: "8kbit" }, shows: '"eth0"', works: RATE },
  { rule: "own", what: "loopback", link: "lo", shape: { rate: "8kbit" }, shows: '"lo"' },
  { rule: "own", what: "another plugin's link", link: "ot-v", shape: { rate: "8kbit" }, shows: '"ot-v"', works: RATE },
  { rule: "own", what: "a link that does not exist", link: "bh-none", shape: { rate: "8kbit" }, shows: '"bh-none"' },
  {
    rule: "own",
    what: "another command after a name",
    link: "bh-v root\nlink delete dev eth0",
    shape: { rate: "8kbit" },
    shows: "\\n",
  },
  {
    rule: "effect",
    what: "a rate where delays are granted",
    limits: { effects: ["delay"] },
    shape: { rate: "1mbit" },
    shows: "granted: delay",
    works: RATE,
  },
  {
    rule: "effect",
    what: "a loss where rates are granted",
    limits: { effects: ["rate"] },
    shape: { rate: "1mbit", loss: "1%" },
    shows: "granted: rate",
    works: { loss: 1 },
  },
  {
    rule: "rate",
    what: "below the granted range: the link stands still",
    limits: { minKbit: 1_000 },
    shape: { rate: "8kbit" },
    shows: "1000kbit",
    works: { rate: 8_000 },
  },
  {
    rule: "rate",
    what: "above the granted range",
    limits: { maxKbit: 10_000 },
    shape: { rate: "1gbit" },
    shows: "10000kbit",
    works: { rate: 1_000_000_000 },
  },
  { rule: "burst", what: "without a rate", shape: { burst: "64kb" }, shows: "needs a rate" },
  {
    rule: "burst",
    what: "too small for a full packet: only small ones pass",
    first: [["setLink", "bh-v", { mtu: 9000 }]],
    shape: { rate: "1mbit", burst: "2kb" },
    shows: "9018b",
    works: { rate: 1_000_000, burst: 2_048 },
  },
  {
    rule: "delay",
    what: "above the granted one: the kernel holds what is under way",
    limits: { maxDelayMs: 100 },
    shape: { delay: "5s" },
    shows: "100ms",
    works: { delay: 5_000_000 },
  },
  { rule: "delay", what: "a jitter without a delay", shape: { jitter: "1ms" }, shows: "needs a delay" },
  { rule: "delay", what: "a jitter above the delay", shape: { delay: "1ms", jitter: "2ms" }, shows: "above the delay" },
  {
    rule: "loss",
    what: "above the granted one",
    limits: { maxLossPercent: 10 },
    shape: { loss: "10.001%" },
    shows: "10%",
    works: { loss: 10.001 },
  },
];

for (const { rule, what, limits, first, link = "bh-v", shape, shows, works } of ATTACKS) {
  onBoth(test, `${rule}: ${what}`, async (t, kind) => {
    const all = await trafficBench(t, kind, limits);
    const { ask, open, host, backend, traffic } = all;
    await host(...CARD);
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
    await open("other", { prefix: "ot" })("createLink", { kind: "veth", name: "ot-v", peer: "ot-w" });
    for (const [method, ...args] of first ?? []) await ask(method as string, ...args);
    const names = ["bh-v", "ot-v", "eth0"];
    const texts = (): Promise<readonly string[]> => Promise.all(names.map(all.shaped));
    const before = [await backend.look(), await texts()];
    const error = await rejection(all.shape("shape", link, shape));
    assert.is(error.code, "ERR_TRAFFIC_REFUSED", error.message);
    assert.is(ruleOf(error), rule, error.message);
    assert.ok(error.message.includes(shows), `${error.message} does not show ${shows}`);
    assert.ok(!/[\n\0]/.test(error.message) && error.message.length < 400, "the message is one line");
    assert.equal([await backend.look(), await texts()], before, "nothing has changed");
    // Without a link, its MTU does not matter.
    if (rule !== "own" && rule !== "form" && !first)
      assert.is(ruleOf(await rejection(all.shape("check", shape))), rule);

    const unable = kind === "kernel" && (works?.rate === undefined ? noNetem : noRate);
    if (!works || unable) return;
    const name = String(link);
    const ifb = ifbOf("test", name);
    const mtu = 1500;
    const failures = await traffic.backend.apply([{ link: name, mtu, shape: works, ifb, mark: ifbMark("test", name) }]);
    assert.equal(failures, [undefined], "past the rules, it is done");
    assert.is.not(await all.shaped(name), "");
    if (kind === "kernel") await traffic.backend.remove([{ link: name, ifb }]);
  });
}

onBoth(test, `amount: ${AMOUNTS.length} texts that are none, or that carry something along`, async (t, kind) => {
  const { ask, backend, shape, shaped } = await trafficBench(t, kind);
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  const before = await backend.look();
  for (const { what, shape: given, shows } of AMOUNTS) {
    for (const [method, ...args] of [
      ["shape", "bh-v", given],
      ["check", given],
    ] as const) {
      const error = await rejection(shape(method, ...args));
      assert.equal([error.code, ruleOf(error)], ["ERR_TRAFFIC_REFUSED", "amount"], what);
      assert.ok(error.message.includes(shows) && !/[\n\0]/.test(error.message) && error.message.length < 400, what);
    }
  }
  assert.equal([await backend.look(), await shaped("bh-v")], [before, ""], "nothing has changed");
});

onBoth(test, "sandbox: a link that has been moved away is out of reach", async (t, kind) => {
  const { ask, hub, host, shape } = await trafficBench(t, kind);
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  await hub.moved("bh-w", "/run/netns/bht-nowhere");
  await host({ op: "rename", name: "bh-w", to: "away" });
  assert.is(ruleOf(await rejection(shape("shape", "bh-w", { rate: "1mbit" }))), "sandbox");
});

onBoth(test, "kernel: what it lacks is refused with the field's name, before anything is made", async (t, kind) => {
  const use = lacking(openTraffic("model", undefined), ["delay", "jitter", "loss"]);
  const { ask, shape, shaped } = await trafficBench(t, kind, {}, { use });
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  for (const [method, ...args] of [
    ["check", { rate: "1mbit", loss: "1%" }],
    ["shape", "bh-v", { rate: "1mbit", loss: "1%" }],
  ] as const) {
    const error = await rejection(shape(method, ...args));
    assert.is(ruleOf(error), "kernel");
    assert.match(error.message, /loss cannot be had here: this kernel lacks sch_netem/);
  }
  assert.is(await shaped("bh-v"), "");
  await shape("check", { rate: "1mbit" });
});

test(
  "kernel: this one's own answer, where it has no netem",
  async (t) => {
    const { ask, shape, shaped } = await trafficBench(t, "kernel");
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
    const error = await rejection(shape("shape", "bh-v", { delay: "1ms" }));
    assert.is(ruleOf(error), "kernel");
    assert.match(error.message, /delay cannot be had here: this kernel lacks sch_netem/);
    assert.is(await shaped("bh-v"), "");
  },
  { needs: netem },
);

onBoth(
  test,
  "max: links asked for in one turn count too, and a link that is no longer shaped does not",
  async (t, kind) => {
    if (kind === "kernel" && noRate) return;
    const { ask, shape } = await trafficBench(t, kind, { max: 2 });
    for (const one of ["a", "b", "c"]) await ask("createLink", { kind: "bridge", name: `bh-${one}` });
    const shapeIt = (one: string): Promise<Json> => shape("shape", `bh-${one}`, { rate: "1mbit" });
    const outcomes = await Promise.allSettled(["a", "b", "c"].map(shapeIt));
    assert.equal(
      outcomes.map(({ status }) => status),
      ["fulfilled", "fulfilled", "rejected"],
    );
    assert.is(ruleOf(await rejection(shapeIt("c"))), "max");
    await shape("shape", "bh-a", {});
    await shapeIt("c");
  },
);

test("every rule has its attack", () => {
  const attacked = new Set([...ATTACKS.map(({ rule }) => rule), "amount", "sandbox", "kernel", "max"]);
  assert.equal([...attacked].sort(), RULES.map(({ id }) => id).sort());
});

test("amounts: units, decimals and bounds", () => {
  const read = (text: string): unknown => {
    const [key, value] = text.split(" ") as ["rate", string];
    return readAmount(key, value);
  };
  assert.equal(
    ["rate 20mbit", "rate 1.5mbit", "rate 8kbit", "rate 100gbit", "burst 64kb", "burst 64mb", "delay 40ms"].map(read),
    [20_000_000, 1_500_000, 8_000, 100_000_000_000, 65_536, 67_108_864, 40_000],
  );
  assert.equal(["delay 10s", "jitter 5.5ms", "loss 0.1%", "loss 100%"].map(read), [10_000_000, 5_500, 0.1, 100]);
});

test("amounts: any text is a number within its bounds, or a line that says why not", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SHAPE_FIELDS),
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.tuple(fc.double(), fc.constantFrom("mbit", "ms", "%", "kb")).map((one) => one.join("")),
      ),
      (key, text) => {
        const value = readAmount(key, text);
        if (typeof value === "number") assert.ok(Number.isFinite(value) && value > 0 && value <= 1e11);
        else assert.ok(value.startsWith(key) && !/[\n\0]/.test(value) && value.length < 300);
      },
    ),
    { numRuns: 500 },
  );
});

test.run();
