/** What packets see of a shape: the rate in both directions, the delay, its jitter, the loss; a change while they flow. */
import { assert, suite } from "../../harness.js";
import { noNetem, noRate } from "./backends.js";
import { wire } from "./traffic.js";

const test = suite("permissions/traffic/measured");
const MS = 120_000;

/** The share by which a rate may differ from what was asked, and a delay. */
const RATE = 0.05;
const DELAY = 0.1;

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[all.length >> 1] ?? Number.NaN;

function near(real: number, asked: number, share: number, what: string): void {
  const off = real / asked - 1;
  console.log(`${what}: asked ${asked}, measured ${real.toFixed(2)} (${(off * 100).toFixed(1)} %)`);
  assert.ok(Math.abs(off) <= share, `${what}: asked ${asked}, measured ${real}`);
}

test(
  "rate: in each direction, changed while the link is in use, taken off",
  async (t) => {
    const { rate, shape, traffic } = await wire(t);
    await shape("shape", "bh-v", { rate: "20mbit" });
    near(await rate("endpoint"), 20, RATE, "to the endpoint, Mbit/s");
    near(await rate("machine"), 20, RATE, "from the endpoint, Mbit/s");
    // What was dropped at the change has to be sent again first.
    const flowing = rate("endpoint", 3_000);
    await traffic.change("bh-v", { rate: "8mbit" });
    near(await flowing, 8, RATE, "to the endpoint, changed while it sends, Mbit/s");
    near(await rate("machine", 3_000), 8, RATE, "from the endpoint, changed, Mbit/s");
    await traffic.change("bh-v", { rate: null });
    const free = await rate("endpoint");
    assert.ok(free > 100, `unshaped: ${free} Mbit/s`);
  },
  { ms: MS, needs: noRate },
);

test(
  "delay: a round trip takes so much longer; jitter spreads it; with a rate both hold",
  async (t) => {
    const { ping, rate, shape } = await wire(t);
    const plain = median(await ping(50, 10));
    await shape("shape", "bh-v", { delay: "40ms" });
    near(median(await ping(100, 10)) - plain, 40, DELAY, "delay, ms");
    await shape("shape", "bh-v", { delay: "40ms", jitter: "20ms" });
    const took = (await ping(300, 10)).map((one) => one - plain).sort((a, b) => a - b);
    near(median(took), 40, 2 * DELAY, "delay with jitter, ms");
    const [early = 0, late = 0] = [took[Math.floor(took.length * 0.1)], took[Math.floor(took.length * 0.9)]];
    console.log(`jitter: a tenth came before ${early.toFixed(1)} ms, a tenth after ${late.toFixed(1)} ms`);
    // Evenly between 20 and 60: the tenths are at 24 and 56.
    assert.ok(early > 15 && early < 34 && late > 46, `${early} to ${late}`);
    await shape("shape", "bh-v", { rate: "10mbit", delay: "40ms" });
    near(median(await ping(50, 10)) - plain, 40, DELAY, "delay with a rate, ms");
    near(await rate("endpoint"), 10, RATE, "rate with a delay, Mbit/s");
    near(await rate("machine"), 10, RATE, "rate with a delay, from the endpoint, Mbit/s");
  },
  { ms: MS, needs: noNetem },
);

test(
  "loss: as many as chance allows",
  async (t) => {
    const { ping, shape } = await wire(t);
    await shape("shape", "bh-v", { loss: "5%" });
    const count = 2_000;
    const lost = count - (await ping(count, 1)).length;
    console.log(`loss: asked 5 %, ${lost} of ${count} lost`);
    // Five standard deviations: once in 1.7 million runs it is further off.
    const [mean, deviation] = [count * 0.05, Math.sqrt(count * 0.05 * 0.95)];
    assert.ok(Math.abs(lost - mean) <= 5 * deviation, `${lost} lost, ${mean} expected`);
  },
  { ms: MS, needs: noNetem },
);

test.run();
