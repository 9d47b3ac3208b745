/** One measure in a process of its own, so that none inherits another's heap, warmth or leavings. Arguments: first row's id, "smoke" | "full", rounds. */
import type { Figures, Run } from "./row.js";
import { MEASURES } from "./rows/all.js";

const [, , id = "", mode = "full", rounds = "1"] = process.argv;
const measure = MEASURES.find(({ rows }) => rows[0]?.id === id);
if (!measure || !process.send) throw new Error(`there is no measure "${id}", or nobody to tell`);
const smoke = mode === "smoke";

try {
  for (let round = 0; round < Number(rounds); round++) {
    const run: Run = {
      smoke,
      round,
      ms: (full) => (smoke ? Math.max(30, full / 20) : full),
      count: (full, small) => (smoke ? small : full),
      async pair(ours, peer): Promise<Figures> {
        if (round % 2 === 0) {
          const mine = await ours();
          return { ours: mine, peer: await peer() };
        }
        const its = await peer();
        return { ours: await ours(), peer: its };
      },
      point: (point) => process.send?.({ point }),
    };
    process.send({ figures: await measure.round(run) });
  }
} finally {
  await measure.end?.();
}
process.disconnect();
