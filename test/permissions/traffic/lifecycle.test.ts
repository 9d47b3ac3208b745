/** What becomes of shapes: changed, taken off, ended with their links, kept across a restart, restored, changed by an operator. */
import { execFileSync } from "node:child_process";
import type { ExternalChange } from "#dist/permissions/external-changes.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import { openTraffic } from "#dist/permissions/traffic/choose.js";
import { createTrafficHub } from "#dist/permissions/traffic/hub.js";
import { ifbMark, ifbOf, type TrafficRow } from "#dist/permissions/traffic/ledger.js";
import { assert, rejection, suite, type TestContext, until } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { KINDS, ruleOf } from "../netlink/backends.js";
import { linkNames, noNetem, noRate, replaced, type TrafficBench, tc, trafficBench } from "./backends.js";

const test = suite("permissions/traffic/lifecycle");
const SOON = 20_000;

class DurableLedger extends MemoryLedger<TrafficRow> {
  override readonly durable = true as never;
}

/** One test per backend. */
function onEach(name: string, body: (t: TestContext, kind: "kernel" | "model") => unknown, lacks = noRate): void {
  for (const kind of KINDS)
    test(`${kind}: ${name}`, (t) => body(t, kind), { ms: 60_000, needs: kind === "kernel" && lacks });
}

async function withLink(bench: TrafficBench): Promise<TrafficBench> {
  await bench.ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  return bench;
}

onEach("a rate is set, changed in place and taken off; nothing is left", async (t, kind) => {
  const bench = await withLink(await trafficBench(t, kind));
  const { shape, shaped, netns } = bench;
  await shape("shape", "bh-v", { rate: "20mbit" });
  assert.equal(await shape("shapes"), [{ link: "bh-v", rate: "20mbit" }]);
  const first = await shaped("bh-v");
  if (kind === "kernel") {
    assert.match(tc(netns, "qdisc", "show", "dev", "bh-v"), /qdisc tbf be01: root .* rate 20Mbit burst 25000b/);
    assert.match(first, /dev ifb-.* rate 20Mbit[\s\S]*redirected$/);
  }
  await shape("shape", "bh-v", { rate: "20mbit" });
  assert.is(await shaped("bh-v"), first, "asked again");
  await shape("shape", "bh-v", { rate: "30mbit", burst: "64kb" });
  assert.is.not(await shaped("bh-v"), first);
  if (kind === "kernel")
    assert.match(tc(netns, "qdisc", "show", "dev", "bh-v"), /be01: root .* rate 30Mbit burst (64Kb|65\d\d\db)/);
  await shape("shape", "bh-v", {});
  assert.is(await shaped("bh-v"), "");
  assert.equal(await shape("shapes"), []);
  assert.equal(await linkNames(bench), ["bh-v", "bh-w", "lo"]);
});

onEach(
  "delay, jitter and loss, with a rate and without, from any to any",
  async (t, kind) => {
    const { shape, shaped, netns } = await withLink(await trafficBench(t, kind));
    const shapes = [
      { delay: "40ms", jitter: "5ms", loss: "1%" },
      { rate: "20mbit", delay: "40ms" },
      { rate: "20mbit" },
      { loss: "0.1%" },
      { rate: "1mbit", loss: "2%" },
      { delay: "1ms" },
      {},
    ];
    const disciplines = [["netem"], ["netem", "tbf"], ["tbf"], ["netem"], ["netem", "tbf"], ["netem"], []];
    for (const [at, one] of shapes.entries()) {
      await shape("shape", "bh-v", one);
      if (kind === "model") continue;
      const text = await shaped("bh-v");
      const own = [...text.matchAll(/^qdisc (\w+) .* dev bh-v /gm)]
        .map(([, name]) => name)
        .filter((one) => one !== "ingress");
      assert.equal(own, disciplines[at], text);
      assert.is(text.includes("redirected"), "rate" in one);
    }
    if (kind === "kernel") assert.ok(!tc(netns, "qdisc", "show").includes("be0"));
  },
  noNetem,
);

onEach("a link that is deleted takes its shape with it, and what was made for it", async (t, kind) => {
  const bench = await withLink(await trafficBench(t, kind));
  await bench.shape("shape", "bh-v", { rate: "20mbit" });
  await bench.ask("deleteLink", "bh-v");
  await until(async () => (await linkNames(bench)).join() === "lo", "nothing is left", SOON);
  assert.equal(await bench.shape("shapes"), []);
  await withLink(bench);
  assert.is(await bench.shaped("bh-v"), "", "another link of that name");
  await bench.shape("shape", "bh-v", { rate: "10mbit" });
  await bench.host({ op: "delete", name: "bh-v" });
  await until(async () => (await linkNames(bench)).join() === "lo", "deleted by another program", SOON);
});

onEach("the host's end: shapes in memory are removed, recorded ones stay and are set again", async (t, kind) => {
  const bench = await withLink(await trafficBench(t, kind));
  const { hub, netns, shape, shaped, traffic, strip } = bench;
  await shape("shape", "bh-v", { rate: "20mbit" });
  await traffic.close();
  assert.is(await shaped("bh-v"), "");
  assert.equal(await linkNames(bench), ["bh-v", "bh-w", "lo"]);

  const ledger = new DurableLedger();
  const use = openTraffic(kind, netns);
  const again = (): ReturnType<typeof createTrafficHub> =>
    createTrafficHub({ netlink: hub, netns, logger: SILENT, ledger, use });
  const one = again();
  await one.change("bh-v", { rate: "20mbit" });
  const known = await use.listing([{ link: "bh-v", ifb: ifbOf(ledger.id, "bh-v") }]);
  await one.close();
  assert.equal(await use.listing([{ link: "bh-v", ifb: ifbOf(ledger.id, "bh-v") }]), known, "traffic goes on");
  if (kind === "kernel") {
    strip("bh-v");
    // A crash left this: made, and not recorded.
    await use.apply([
      { link: "bh-w", mtu: 1500, shape: { rate: 1e6 }, ifb: "ifb-left", mark: ifbMark(ledger.id, "bh-gone") },
    ]);
    assert.ok((await linkNames(bench)).includes("ifb-left"));
  }
  const two = again();
  t.cleanup(() => two.close());
  await two.reconcile();
  assert.equal(await use.listing([{ link: "bh-v", ifb: ifbOf(ledger.id, "bh-v") }]), known, "set again");
  assert.ok(!(await linkNames(bench)).includes("ifb-left"));
  await two.change("bh-v", undefined);
  assert.equal(
    (await linkNames(bench)).filter((name) => name.startsWith("ifb-")),
    [],
  );
});

for (const what of ["root", "ingress"] as const) {
  onEach(`what another program removes is restored, and told: ${what}`, async (t, kind) => {
    const events: ExternalChange[] = [];
    const bench = await withLink(await trafficBench(t, kind, {}, { report: (event) => void events.push(event) }));
    await bench.shape("shape", "bh-v", { rate: "20mbit" });
    const before = await bench.shaped("bh-v");
    bench.strip("bh-v", what);
    await until(() => events.length > 0, "it is told", SOON);
    assert.is(await bench.shaped("bh-v"), before);
    assert.equal([events[0]?.event, events[0]?.plugin], ["traffic-restored", "bridge"]);
  });
}

test(
  "kernel: another program's discipline of the same handle is replaced too",
  async (t) => {
    const events: ExternalChange[] = [];
    const bench = await withLink(await trafficBench(t, "kernel", {}, { report: (event) => void events.push(event) }));
    await bench.shape("shape", "bh-v", { rate: "20mbit" });
    const before = await bench.shaped("bh-v");
    // In one run: what is removed is restored soon.
    const lines = ["qdisc delete dev bh-v root", "qdisc add dev bh-v root handle be01: pfifo limit 9"];
    execFileSync("tc", ["-n", bench.netns, "-batch", "-"], { input: `${lines.join("\n")}\n` });
    await until(() => events.length > 0, "it is told", SOON);
    assert.is(await bench.shaped("bh-v"), before);
  },
  { ms: 60_000, needs: noRate },
);

onEach(
  "an operator's change holds whatever the plugin asks for, until it is reset or the link is gone",
  async (t, kind) => {
    const bench = await withLink(await trafficBench(t, kind));
    const { shape, traffic } = bench;
    await shape("shape", "bh-v", { rate: "20mbit", burst: "64kb" });
    assert.equal(await traffic.change("bh-v", { rate: "5mbit" }), { rate: "5mbit", burst: "64kb" });
    await shape("shape", "bh-v", { rate: "50mbit" });
    assert.equal(await shape("shapes"), [{ link: "bh-v", rate: "5mbit", burst: "64kb", byOperator: true }]);
    assert.equal(await traffic.change("bh-v", { rate: null, burst: null }), {});
    assert.is(await bench.shaped("bh-v"), "");
    assert.equal(await traffic.change("bh-v", undefined), { rate: "50mbit" });
    assert.is.not(await bench.shaped("bh-v"), "");
    assert.is(ruleOf(await rejection(traffic.change("lo", { rate: "5mbit" }))), "own");
    assert.is(ruleOf(await rejection(traffic.change("bh-v", { rate: "5 mbit" }))), "amount");
    assert.is(ruleOf(await rejection(traffic.change("bh-v", { jitter: "5ms" }))), "delay");
    await traffic.change("bh-v", { rate: "5mbit" });
    await bench.ask("deleteLink", "bh-v");
    await until(async () => (await linkNames(bench)).join() === "lo", "gone", SOON);
    await withLink(bench);
    await shape("shape", "bh-v", { rate: "50mbit" });
    assert.equal(await shape("shapes"), [{ link: "bh-v", rate: "50mbit" }]);
  },
);

onEach("what fails leaves the link, and what is recorded, as before", async (t, kind) => {
  const real = openTraffic("model", undefined);
  let fails = false;
  const use = replaced(real, {
    apply: async (links) => {
      if (!fails || links.length === 0) return real.apply(links);
      fails = false;
      await real.apply(links.map((one) => ({ ...one, shape: {} })));
      return links.map(() => ({ words: "Error: injected." }));
    },
  });
  const { shape, shaped } = await withLink(await trafficBench(t, kind, {}, { use }));
  fails = true;
  const error = await rejection(shape("shape", "bh-v", { rate: "20mbit" }));
  assert.equal([error.code, error.message], ["ERR_TRAFFIC_FAILED", "traffic.shape failed: Error: injected."]);
  assert.equal(await shape("shapes"), []);
  await shape("shape", "bh-v", { rate: "20mbit" });
  const before = await shaped("bh-v");
  fails = true;
  await rejection(shape("shape", "bh-v", { rate: "30mbit" }));
  assert.equal(await shape("shapes"), [{ link: "bh-v", rate: "20mbit" }]);
  assert.is(await shaped("bh-v"), before);
});

test(
  "kernel: a link that another program replaced meanwhile is not shaped, and fails by itself",
  async (t) => {
    const { traffic, host, netns } = await withLink(await trafficBench(t, "kernel"));
    await host({ op: "delete", name: "bh-v" }, { op: "add", link: { kind: "bridge", name: "bh-a" } });
    const shaped = (link: string) => ({
      link,
      mtu: 1500,
      shape: { rate: 1e6 },
      ifb: `ifb-${link}`,
      mark: `test:${link}`,
    });
    const [gone, there] = await traffic.backend.apply([shaped("bh-v"), shaped("bh-a")]);
    assert.match(gone?.words ?? "", /Cannot find device/);
    assert.is(there, undefined);
    assert.match(tc(netns, "qdisc", "show", "dev", "bh-a"), /tbf/);
    assert.match(tc(netns, "qdisc", "show"), /^(?![\s\S]*ifb-bh-v)/, "what was made for the other is removed");
    assert.is((await rejection(openTraffic("kernel", "bht-none").apply([shaped("bh-v")]))).code, "ERR_TRAFFIC_FAILED");
  },
  { needs: noRate },
);

test.run();
