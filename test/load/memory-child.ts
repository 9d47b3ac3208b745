/**
 * A process of its own that holds idle plugins, or bare SES workers, and tells what it and all below it have grown by, in
 * mebibytes of resident memory, and how many milliseconds it took until all were there. Arguments: "thread" | "process" | "dedicated" | "bare", count, milliseconds to settle.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Isolation } from "./costs.js";
import { openHouse } from "./hosts.js";
import { driverSource } from "./plugins.js";
import { familyMb } from "./resident.js";
import { settle } from "./settle.js";

const [, , kind = "", count = "1", ms = "1000"] = process.argv;
/** Workers being started at the same time. */
const AT_ONCE = 4;

async function bareWorkers(wanted: number): Promise<() => Promise<void>> {
  const workers: Worker[] = [];
  const start = async (): Promise<void> => {
    while (workers.length < wanted) {
      const worker = new Worker(new URL("./peers/ses-worker.js", import.meta.url));
      workers.push(worker);
      await once(worker, "message");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, start));
  return async () => void (await Promise.all(workers.map((worker) => worker.terminate())));
}

async function plugins(wanted: number, isolation: Isolation): Promise<() => Promise<void>> {
  const names = Array.from({ length: wanted }, (_, n) => `load${n}`);
  const house = await openHouse({
    isolation,
    plugins: Object.fromEntries(names.map((type) => [type, driverSource({ type })])),
  });
  return house.stop;
}

await settle(0);
const before = familyMb();
const began = performance.now();
const stop = kind === "bare" ? await bareWorkers(Number(count)) : await plugins(Number(count), kind as Isolation);
const loaded = performance.now() - began;
await settle(Number(ms));
const grown = familyMb() - before;
await stop();
process.send?.({ mb: grown, ms: loaded });
process.disconnect?.();
