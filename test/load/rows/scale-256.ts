/** Many plugins loaded at once, until all are in service: what one of them takes, by how many there are. */
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure } from "../row.js";

/** Milliseconds per plugin. */
async function loadAll(count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, n) => `load${n}`);
  const plugins = Object.fromEntries(names.map((type) => [type, driverSource({ type })]));
  const began = performance.now();
  const house = await openHouse({ plugins });
  const ms = performance.now() - began;
  await house.stop();
  return ms / count;
}

const spec = { peer: "the same with 32 plugins", unit: "ms", direction: "at most" } as const;

export const scale256: Measure = {
  rows: [
    { id: "scale-256", what: "256 plugins loaded at once, process isolation: each", bar: 1.2, aim: 1, ...spec },
    { id: "scale-128", what: "128 plugins loaded at once: each", bar: null, ...spec },
    { id: "scale-64", what: "64 plugins loaded at once: each", bar: null, ...spec },
  ],
  seconds: 120,
  async round(run) {
    const figures: Record<string, Figures> = {};
    const few = run.count(32, 2);
    figures["scale-256"] = await run.pair(
      () => loadAll(run.count(256, 4)),
      () => loadAll(few),
    );
    if (run.round > 0) return figures;
    for (const count of [64, 128])
      figures[`scale-${count}`] = { ...figures["scale-256"], ours: await loadAll(run.count(count, 3)) };
    return figures;
  },
};
