/** What each isolation costs: a first worker, a worker after a crash, memory of an idle plugin, one call after another. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPluginHost, EndpointConfig, type PluginHost } from "bulkhead";
import { closedLoop } from "#dist/load/closed-loop.js";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { familyMb } from "./resident.js";
import { settle } from "./settle.js";

export type Isolation = "thread" | "process" | "dedicated";
export const ISOLATIONS: readonly Isolation[] = ["thread", "process", "dedicated"];

/** Figures of one isolation. */
export interface Costs {
  /** Milliseconds until a host with one plugin serves, nothing kept ahead; bundling included, alike for all. */
  readonly start: number;
  /** Milliseconds from a stray throw to the next worker in service, a spare kept ahead. */
  readonly restart: number;
  /** Resident mebibytes for each of `PLUGINS` idle plugins, spares included. */
  readonly resident: number;
  /** Median microseconds of a call, one after another. */
  readonly call: number;
}

/** Idle plugins that memory is measured with. */
export const PLUGINS = 8;

/** Its `endpointOperInfo` crashes it. */
const driver = (type: string): string =>
  plugin(type, {
    methods: `createEndpoint(nid, eid, epInfo) { epInfo.addInterface(0, "", "10.1.0.2/16", ""); },
    endpointOperInfo() { setTimeout(() => { throw new Error("asked to"); }, 0); return {}; },`,
  });

/** `ms`: how long calls are made; `settleMs`: how long a spare has to be made ready. */
export async function costs(isolation: Isolation, ms: number, settleMs: number): Promise<Costs> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-costs-"));
  try {
    await writeFile(join(folder, "load0.js"), driver("load0"));
    const began = performance.now();
    const first = await open(folder, isolation);
    const start = performance.now() - began;
    const restart = await restarts(first, settleMs);
    const call = await sequential(first, ms);
    await first.close();
    for (let n = 1; n < PLUGINS; n++) await writeFile(join(folder, `load${n}.js`), driver(`load${n}`));
    return { start, restart, call, resident: await idle(folder, isolation, settleMs) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function open(folder: string, isolation: Isolation): Promise<PluginHost> {
  return createPluginHost({ plugins: folder, isolation, policy: { sandbox: "auto" }, logger: SILENT });
}

async function restarts(host: PluginHost, settleMs: number): Promise<number> {
  const load = host.driver("load0");
  await load.createNetwork(LOAD_NETWORK);
  await load.createEndpoint(LOAD_NETWORK, "crash", new EndpointConfig());
  // A spare that has just been taken is being replaced.
  await settle(settleMs);
  const began = new Promise<number>((resolve) => {
    host.once("plugin:restarting", () => resolve(performance.now()));
  });
  const back = new Promise<void>((resolve) => host.once("plugin:restarted", () => resolve()));
  await load.endpointOperInfo(LOAD_NETWORK, "crash").catch(() => {});
  const from = await began;
  await back;
  return performance.now() - from;
}

async function sequential(host: PluginHost, ms: number): Promise<number> {
  const load = host.driver("load0");
  const call = (n: number): Promise<void> => {
    const { nid, eid, options } = loadRequest(n);
    return load.createEndpoint(nid, eid, new EndpointConfig(), options);
  };
  return (await closedLoop(call, { inFlight: 1, ms })).latency.p50;
}

/** Memory of this process and of all below it, more than without plugins. */
async function idle(folder: string, isolation: Isolation, settleMs: number): Promise<number> {
  await settle(0);
  const before = familyMb();
  const host = await open(folder, isolation);
  await settle(settleMs);
  const after = familyMb();
  await host.close();
  return (after - before) / PLUGINS;
}
