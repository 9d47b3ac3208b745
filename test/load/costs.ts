/** What each isolation costs: a first worker, a worker after a crash, memory of an idle plugin, one call after another. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPluginHost, EndpointConfig, type PluginHost } from "bulkhead";
import { median } from "./closed-loop.js";
import { NETWORK, request } from "./workload.js";

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

const driver = (type: string): string => `
export async function init(callback) {
  await callback.registerDriver("${type}", {
    type: () => "${type}", config() {}, createNetwork() {}, deleteNetwork() {},
    createEndpoint(nid, eid, epInfo) { epInfo.addInterface(0, "", "10.1.0.2/16", ""); },
    deleteEndpoint() {}, endpointOperInfo() { setTimeout(() => { throw new Error("asked to"); }, 0); return {}; },
    join() {}, leave() {},
  }, { scope: "local" });
}`;

export async function costs(isolation: Isolation, calls: number): Promise<Costs> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-costs-"));
  try {
    await writeFile(join(folder, "load0.js"), driver("load0"));
    const began = performance.now();
    const first = await open(folder, isolation);
    const start = performance.now() - began;
    const restart = await restarts(first);
    const call = await sequential(first, calls);
    await first.close();
    for (let n = 1; n < PLUGINS; n++) await writeFile(join(folder, `load${n}.js`), driver(`load${n}`));
    return { start, restart, call, resident: await idle(folder, isolation) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function open(folder: string, isolation: Isolation): Promise<PluginHost> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  return createPluginHost({ plugins: folder, isolation, policy: { sandbox: "auto" }, logger: silent });
}

async function restarts(host: PluginHost): Promise<number> {
  const load = host.driver("load0");
  await load.createNetwork(NETWORK);
  await load.createEndpoint(NETWORK, "crash", new EndpointConfig());
  // A spare that has just been taken is being replaced.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const began = new Promise<number>((resolve) => {
    host.once("plugin:restarting", () => resolve(performance.now()));
  });
  const back = new Promise<void>((resolve) => host.once("plugin:restarted", () => resolve()));
  await load.endpointOperInfo(NETWORK, "crash").catch(() => {});
  const from = await began;
  await back;
  return performance.now() - from;
}

async function sequential(host: PluginHost, calls: number): Promise<number> {
  const load = host.driver("load0");
  const times: number[] = [];
  for (let n = 0; n < calls; n++) {
    const { nid, eid, options } = request(n);
    const began = performance.now();
    await load.createEndpoint(nid, eid, new EndpointConfig(), options as never);
    times.push((performance.now() - began) * 1000);
  }
  return median(times);
}

/** Memory of this process and of all below it, more than without plugins. */
async function idle(folder: string, isolation: Isolation): Promise<number> {
  globalThis.gc?.();
  const before = family();
  const host = await open(folder, isolation);
  // Spares are being made ready.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  globalThis.gc?.();
  const after = family();
  await host.close();
  return (after - before) / PLUGINS;
}

function family(): number {
  const below = (pid: number): readonly number[] => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    const pids = children === "" ? [] : children.split(" ").map(Number);
    return [pid, ...pids.flatMap(below)];
  };
  return below(process.pid).reduce((sum, pid) => sum + resident(pid), 0);
}

function resident(pid: number): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
