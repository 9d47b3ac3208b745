/**
 * The bridge driver's host process is killed at a random moment of each of many lifecycles: what the journal holds, what the
 * callers were told and what links there are agree after each.
 * BULKHEAD_SEED: which moments.
 */

import "../kit/bundles.js";
import { strict as nodeAssert } from "node:assert";
import { readFileSync } from "node:fs";
import { netlinkOf, type PluginHost, startHost } from "#dist/host/plugin-host.js";
import { EndpointConfig, type HostedDriver, JoinConfig } from "#dist/index.js";
import { copyForTest, testPolicy } from "#dist/testing/plugin-copy.js";
import { assert, type Rejection, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { MemoryJournal } from "../kit/memory-journal.js";
import { generic, type Kind, namespace } from "./shipped.js";

export const SEED: number = Number(process.env.BULKHEAD_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Kills after which the plugin is loaded again: the breaker opens at the fifth. */
const KILLS_A_LOAD = 4;
const OPTIONS = generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64" });

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Bridge {
  readonly host: PluginHost;
  readonly driver: HostedDriver;
  readonly journal: MemoryJournal;
}

async function serve(t: TestContext, kind: Kind): Promise<Bridge> {
  const copy = await copyForTest(`${REPO}plugins/bridge`, undefined);
  t.cleanup(() => copy.remove());
  const journal = new MemoryJournal();
  const policy = testPolicy(copy.found);
  const where = kind === "kernel" ? { netns: namespace(t, []) } : {};
  const host = await startHost({ plugins: copy.folder, policy, backend: kind, logger: SILENT, ...where }, { journal });
  t.cleanup(() => host.close());
  assert.is(host.plugins()[0]?.isolation, "dedicated");
  return { host, driver: host.driver("bridge"), journal };
}

/** Kills the host process and resolves when the plugin is back. The signal goes to a host process or to nobody. */
async function kill({ host }: Bridge): Promise<void> {
  const pid = host.plugins()[0]?.pid ?? 0;
  assert.ok(pid > 1 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("host-process"), `process ${pid}`);
  const back = new Promise((resolve) => host.on("plugin:restarted", resolve));
  process.kill(pid, "SIGKILL");
  await back;
}

/** Until it is done: what the error says is to be tried again is tried again. `over`: the kind of an error that says it was done. */
async function surely(call: () => Promise<unknown>, over?: string, struck = (): void => {}): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await call();
      return;
    } catch (error) {
      const { code, kind } = error as Rejection;
      // A repeated leave is answered so.
      if (over !== undefined && (kind === over || code === "ERR_ENDPOINT_NOT_JOINED")) return;
      if (tries === 5 || !["ERR_OUTCOME_UNKNOWN", "ERR_DRIVER_BUSY"].includes(code ?? "")) throw error;
      struck();
    }
  }
}

/** How far a life has come, by what its callers were told. */
type Stage = "nothing" | "network" | "endpoint" | "join";

/** Journal, links and driver say what the callers were told. */
async function agree({ host, driver, journal }: Bridge, stage: Stage, words: string): Promise<void> {
  const rows = await journal.load("bridge");
  const told = rows.map(({ key, entry }) => `${key.join ? "join" : key.eid ? "endpoint" : "network"} ${entry.phase}`);
  const all = ["network live", "endpoint live", "join live"];
  const expected = all.slice(0, ["nothing", "network", "endpoint", "join"].indexOf(stage));
  nodeAssert.deepEqual(told, expected, `${words}: the journal`);
  const view = await netlinkOf(host)?.backend.look({ kinds: true });
  const kinds = [...(view?.links.values() ?? [])]
    .map(({ kind }) => kind)
    .filter((kind) => kind === "bridge" || kind === "veth");
  const [bridges, ends] = [stage === "nothing" ? 0 : 1, stage === "endpoint" || stage === "join" ? 2 : 0];
  nodeAssert.deepEqual(
    kinds.sort(),
    [...Array(bridges).fill("bridge"), ...Array(ends).fill("veth")],
    `${words}: the links`,
  );
  let up: unknown = "NotFound";
  await surely(async () => {
    up = (await driver.endpointOperInfo("n", "e")).up;
  }, "NotFound");
  assert.is(up, ends > 0 ? true : "NotFound", `${words}: the driver`);
}

/** Gives the number of lives in which a call was in flight when the kill came. */
export async function lives(t: TestContext, kind: Kind, count: number, seed: number): Promise<number> {
  const bridge = await serve(t, kind);
  const { host, driver } = bridge;
  const next = random(seed);
  const forth: readonly (readonly [Stage, () => Promise<unknown>])[] = [
    ["network", () => driver.createNetwork("n", OPTIONS)],
    ["endpoint", () => driver.createEndpoint("n", "e", new EndpointConfig())],
    ["join", () => driver.join("n", "e", "/sandbox", new JoinConfig())],
  ];
  const undo: readonly (readonly [Stage, () => Promise<unknown>])[] = [
    ["endpoint", () => driver.leave("n", "e")],
    ["network", () => driver.deleteEndpoint("n", "e")],
    ["nothing", () => driver.deleteNetwork("n")],
  ];
  let typical = 50;
  const struck = new Set<number>();
  for (let life = 0; life < count; life++) {
    if (life % KILLS_A_LOAD === KILLS_A_LOAD - 1) await host.reload("bridge");
    // Some lives are looked at half-way, at a stage that chance decides.
    const far = 1 + Math.floor(next() * forth.length);
    const steps = [...forth.slice(0, far), undefined, ...undo.slice(forth.length - far)];
    const words = `${kind}, life ${life} of seed ${seed}`;
    let stage: Stage = "nothing";
    const began = performance.now();
    const delay = next() * typical;
    const killed = new Promise<void>((resolve, reject) => {
      setTimeout(() => kill(bridge).then(resolve, reject), delay);
    });
    killed.catch(() => {});
    const backward = new Set(undo);
    for (const step of steps) {
      if (step === undefined) {
        await agree(bridge, stage, `${words}, half-way`);
        continue;
      }
      await surely(step[1], backward.has(step) ? "NotFound" : undefined, () => struck.add(life));
      stage = step[0];
    }
    const took = performance.now() - began;
    await killed;
    await agree(bridge, "nothing", words);
    // Kills come while the life lasts, however fast the machine is.
    if (took < delay) typical = Math.max(5, typical * 0.8);
    else typical = Math.min(1000, typical * 1.1);
  }
  return struck.size;
}
