/** Many plugins loaded at once, until all are in service: what one of them takes, in time and in memory, by how many there are. */
import { type Held, hold } from "../memory.js";
import type { Figures, Measure } from "../row.js";

const FEW = 32;
const COUNTS = [64, 128, 256];
const spec = { unit: "ms", direction: "at most" } as const;

export const scale256: Measure = {
  rows: [
    {
      id: "scale-256",
      what: "256 plugins loaded at once, process isolation: time of each",
      peer: "the same with 32 plugins",
      bar: 1.2,
      aim: 1,
      ...spec,
    },
    { id: "scale-128", what: "128 plugins: time of each", peer: "the same with 32 plugins", bar: null, ...spec },
    { id: "scale-64", what: "64 plugins: time of each", peer: "the same with 32 plugins", bar: null, ...spec },
    ...[1, FEW, ...COUNTS].map((count) => ({
      id: `memory-process-${count}`,
      what: `resident memory of each of ${count} idle plugins, process isolation`,
      peer: "bare SES worker, 32 of them",
      unit: "MiB",
      direction: "at most" as const,
      bar: null,
    })),
  ],
  seconds: 145,
  // Each takes long.
  rounds: 3,
  async round(run) {
    const of = (count: number): Promise<Held> => hold("process", run.count(count, Math.min(4, count)), run.ms(500));
    const held = new Map<number, Held>();
    const time = async (count: number): Promise<number> => {
      const one = await of(count);
      held.set(count, one);
      return one.ms;
    };
    const figures: Record<string, Figures> = {};
    const most = await run.pair(
      () => time(256),
      () => time(FEW),
    );
    figures["scale-256"] = most;
    if (run.round > 0) return figures;
    for (const count of [64, 128]) figures[`scale-${count}`] = { ...most, ours: await time(count) };
    await time(1);
    const bare = await hold("bare", run.count(FEW, 2), run.ms(500));
    for (const [count, { mb }] of held) figures[`memory-process-${count}`] = { ours: mb, peer: bare.mb };
    return figures;
  },
};
