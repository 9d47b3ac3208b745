/**
 * A plugin loaded with no worker kept ahead, against a bare worker with `ses` locked down: as a host does it that has lately loaded
 * another, whose next bundler process stands ready; and with nothing ready at all.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { releaseBundler } from "#dist/bundler/bundle.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";
import { settle } from "../settle.js";

async function load(ready: boolean, settleMs: number): Promise<number> {
  const house = await openHouse({
    isolation: "thread",
    plugins: { first: driverSource({ type: "first" }) },
    parts: { threads: new ThreadLauncher({ spares: 0 }) },
  });
  try {
    await house.put("next", driverSource({ type: "next" }));
    await settle(settleMs);
    if (!ready) await releaseBundler();
    const began = performance.now();
    await house.host.reload("next");
    return performance.now() - began;
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
      what: "cold load of a plugin, bundling included, no worker kept ahead, thread isolation",
      bar: 1.3,
      aim: 1.1,
      ...spec,
    },
    { id: "cold-load-first", what: "the same, no bundler process kept ahead either", bar: null, ...spec },
  ],
  seconds: 7,
  async round(run) {
    const whole = await run.pair(() => load(true, run.ms(400)), bare);
    return { "cold-load": whole, "cold-load-first": { ...whole, ours: await load(false, run.ms(100)) } };
  },
};
