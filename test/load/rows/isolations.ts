/** What each isolation costs beside the others: the table in README.md. */
import { type Costs, costs, ISOLATIONS, PLUGINS } from "../costs.js";
import type { Figures, Measure } from "../row.js";

const GAUGES: readonly (readonly [key: keyof Costs, what: string, unit: string])[] = [
  ["start", "first plugin in service", "ms"],
  ["restart", "stray throw to the next worker", "ms"],
  ["resident", `memory of each of ${PLUGINS} idle plugins`, "MiB"],
  ["call", "call after call, median", "µs"],
];

export const isolations: Measure = {
  rows: GAUGES.flatMap(([key, what, unit]) =>
    ISOLATIONS.map((isolation) => ({
      id: `cost-${isolation}-${key}`,
      what: `${what}, ${isolation} isolation`,
      peer: "thread isolation",
      unit,
      direction: "at most" as const,
      bar: null,
    })),
  ),
  seconds: 13,
  rounds: 1,
  async round(run) {
    const figures: Record<string, Figures> = {};
    let threads: Costs | undefined;
    for (const isolation of ISOLATIONS) {
      const mine = await costs(isolation, run.ms(400), run.ms(1000));
      threads ??= mine;
      for (const [key] of GAUGES) figures[`cost-${isolation}-${key}`] = { ours: mine[key], peer: threads[key] };
    }
    return figures;
  },
};
