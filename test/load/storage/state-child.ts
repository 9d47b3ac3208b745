/**
 * A data folder of 100,000 endpoints, in a process of its own. Arguments: the folder of a build, a folder on the disk, the number of
 * endpoints, and what is done: "fill" writes them, "replay" reads them as a host does when it starts, "host" starts one. Tells the
 * milliseconds that took, and the mebibytes that are resident then.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadId, loadRequest } from "#dist/load/request.js";
import { SILENT } from "../../kit/logger.js";
import { driverSource } from "../plugins.js";
import { residentMb } from "../resident.js";
import { settle } from "../settle.js";
import { partsOf } from "./build.js";

const [, , build = "", root = "", count = "0", task = ""] = process.argv;
const PER_NETWORK = 100;
/** Writes that are flushed together. */
const GROUP = 1000;
const dataDir = join(root, "data");
const { createPluginHost, openDataFolder, Journal } = await partsOf(build);

async function fill(): Promise<void> {
  const folder = await openDataFolder(dataDir);
  const journal = new Journal(folder.state);
  for (let from = 0; from < Number(count); from += GROUP) {
    const writes = Array.from({ length: Math.min(GROUP, Number(count) - from) }, (_, n) => write(journal, from + n));
    await Promise.all(writes.flat());
  }
  await folder.close();
}

function write(journal: InstanceType<typeof Journal>, n: number): (void | Promise<void>)[] {
  const { eid, options } = loadRequest(n);
  const nid = loadId(Math.floor(n / PER_NETWORK) + 2 ** 40);
  const entry = { phase: "live", options: JSON.stringify(options) } as const;
  const [high, low] = [(n >> 8) & 255, n & 255];
  const ipv4 = `10.${n >> 16}.${high}.${low}/8`;
  const mac = `02:42:0a:${[n >> 16, high, low].map((one) => one.toString(16).padStart(2, "0")).join(":")}`;
  const endpoint = { ...entry, interfaces: [{ id: 0, mac, ipv4, ipv6: "" }] };
  return [
    ...(n % PER_NETWORK === 0 ? [journal.settle({ key: { type: "load", nid }, entry })] : []),
    journal.settle({ key: { type: "load", nid, eid }, entry: endpoint }),
  ];
}

/** What a start reads: the folder, the types, and one type's records. */
async function replay(): Promise<() => Promise<void>> {
  const folder = await openDataFolder(dataDir);
  const journal = new Journal(folder.state);
  await journal.types();
  const found = await journal.load("load");
  if (found.length < Number(count)) throw new Error(`${found.length} records were read`);
  return () => folder.close();
}

/** Its driver restores its state by itself, so that the host's own work is what is seen. */
async function startHost(): Promise<() => Promise<void>> {
  const plugins = join(root, "plugins");
  await mkdir(plugins, { recursive: true });
  await writeFile(join(plugins, "load.js"), driverSource());
  await writeFile(join(plugins, "load.json"), JSON.stringify({ recovery: "self" }));
  const policy = { sandbox: "auto" } as const;
  const host = await createPluginHost({ plugins, isolation: "process", logger: SILENT, policy, dataDir });
  const [plugin] = host.plugins();
  if (plugin?.state !== "running") throw plugin?.refusal ?? new Error("the plugin does not run");
  return () => host.close();
}

const began = performance.now();
const close = task === "fill" ? await fill() : task === "replay" ? await replay() : await startHost();
const ms = performance.now() - began;
if (task === "host") await settle(1000);
process.send?.({ ms, mb: residentMb(process.pid) });
await close?.();
process.disconnect?.();
