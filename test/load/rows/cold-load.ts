/** A plugin loaded with no spare, against a bare worker with `ses` locked down; and the same from the start of its worker on. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";
import { timedLauncher } from "../timed-launcher.js";

async function load(): Promise<{ readonly whole: number; readonly unbundled: number }> {
  const threads = timedLauncher("thread", 0);
  const house = await openHouse({ plugins: { first: driverSource({ type: "first" }) }, parts: { threads } });
  try {
    await house.put("next", driverSource({ type: "next" }));
    const began = performance.now();
    await house.host.reload("next");
    const now = performance.now();
    return { whole: now - began, unbundled: now - threads.asked };
  } finally {
    await house.stop();
  }
}

async function bare(): Promise<number> {
  const began = performance.now();
  const worker = new Worker(new URL("../peers/ses-worker.js", import.meta.url));
  await once(worker, "message");
  const ms = performance.now() - began;
  await worker.terminate();
  return ms;
}

const spec = { peer: "bare worker, ses locked down", unit: "ms", direction: "at most" } as const;

export const coldLoad: Measure = {
  rows: [
    {
      id: "cold-load",
      what: "cold load of a plugin, bundling included, thread isolation",
      bar: 1.3,
      aim: 1.1,
      ...spec,
    },
    { id: "cold-load-bundled", what: "the same, from the start of its worker on", bar: null, ...spec },
  ],
  seconds: 6,
  async round(run) {
    let unbundled = Number.NaN;
    const whole = await run.pair(async () => {
      const loaded = await load();
      unbundled = loaded.unbundled;
      return loaded.whole;
    }, bare);
    return { "cold-load": whole, "cold-load-bundled": { ...whole, ours: unbundled } };
  },
};
