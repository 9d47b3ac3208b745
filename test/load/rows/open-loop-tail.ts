/** The tail at half of saturation: p99.9 from the intended sending, against the median of the same run. */
import { halfLoaded, withPeer } from "../gauges.js";
import { ours } from "../ours.js";
import type { Figures, Measure, Run } from "../row.js";

const spec = { peer: "its own p50", unit: "µs", direction: "at most" } as const;

async function tail(isolation: "thread" | "process", run: Run): Promise<Figures> {
  const { p50, p999 } = await withPeer(ours(isolation), ({ call }) => halfLoaded(call, run.ms(1200)));
  return { ours: p999, peer: p50 };
}

export const openLoopTail: Measure = {
  rows: [
    {
      id: "open-loop-tail",
      what: "open loop at half of saturation, p99.9, process isolation",
      bar: 20,
      aim: 8,
      ...spec,
    },
    {
      id: "open-loop-tail-thread",
      what: "open loop at half of saturation, p99.9, thread isolation",
      bar: null,
      ...spec,
    },
  ],
  seconds: 26,
  round: async (run) => ({
    "open-loop-tail": await tail("process", run),
    "open-loop-tail-thread": await tail("thread", run),
  }),
};
