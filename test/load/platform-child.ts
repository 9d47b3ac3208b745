/**
 * A platform in a process of its own. Arguments: the folder of a build (its dist is used, so that builds of two commits can be held against
 * each other); "calls" and how many, or "idle" and how many dedicated plugins. Tells microseconds of its main thread per call, or mebibytes of
 * resident memory per plugin, with everything that is kept ready for them.
 */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import { SILENT } from "../kit/logger.js";
import { driverSource } from "./plugins.js";
import { familyMb } from "./resident.js";
import { settle } from "./settle.js";
import { partsOf } from "./storage/build.js";

const [, , build = "", task = "calls", amount = "1", settleMs = "1500"] = process.argv;
const { createPluginHost, EndpointConfig } = await partsOf(build);
const IN_FLIGHT = 256;

type Host = Awaited<ReturnType<typeof createPluginHost>>;

/** Starts a host over so many plugins, and stops it after `work`. */
async function withHost<T>(
  isolation: "process" | "dedicated",
  count: number,
  work: (host: Host) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), "bulkhead-load-"));
  const plugins = join(root, "plugins");
  await mkdir(plugins);
  for (let n = 0; n < count; n++) await writeFile(join(plugins, `load${n}.js`), driverSource({ type: `load${n}` }));
  const host = await createPluginHost({ plugins, isolation, logger: SILENT, policy: { sandbox: "auto" } });
  try {
    return await work(host);
  } finally {
    await host.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** Microseconds that the main thread has run, as Linux tells it. */
function threadUs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ")[0]) / 1000;
}

async function processorPerCall(calls: number): Promise<number> {
  return withHost("process", 1, async (host) => {
    const driver = host.driver("load0");
    await driver.createNetwork(LOAD_NETWORK);
    let next = 0;
    const upTo = async (last: number): Promise<void> => {
      const caller = async (): Promise<void> => {
        while (next < last) {
          const { nid, eid, options } = loadRequest(next++);
          await driver.createEndpoint(nid, eid, new EndpointConfig(), options);
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
    };
    await upTo(calls / 2);
    const before = threadUs();
    await upTo(calls / 2 + calls);
    return (threadUs() - before) / calls;
  });
}

async function memoryPerPlugin(count: number): Promise<number> {
  await settle(0);
  const before = familyMb();
  return withHost("dedicated", count, async () => {
    await settle(Number(settleMs));
    return (familyMb() - before) / count;
  });
}

const found = await (task === "calls" ? processorPerCall(Number(amount)) : memoryPerPlugin(Number(amount)));
process.send?.({ found });
process.disconnect?.();
