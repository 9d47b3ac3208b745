/** Memory of each of 1, 32, 128 and 256 idle plugins under the default isolation. */
import { memoryOf } from "../memory.js";
import type { Figures, Measure } from "../row.js";

const COUNTS = [1, 32, 128, 256];

export const memoryByCount: Measure = {
  rows: COUNTS.map((count) => ({
    id: `memory-process-${count}`,
    what: `resident memory of each of ${count} idle plugins, process isolation`,
    peer: "bare SES worker",
    unit: "MiB",
    direction: "at most",
    bar: null,
  })),
  seconds: 45,
  rounds: 1,
  async round(run) {
    const figures: Record<string, Figures> = {};
    const peer = await memoryOf("bare", run.count(32, 2), run.ms(800));
    for (const count of COUNTS)
      figures[`memory-process-${count}`] = {
        ours: await memoryOf("process", run.count(count, Math.min(count, 3)), run.ms(800)),
        peer,
      };
    return figures;
  },
};
