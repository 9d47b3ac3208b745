import { saturation } from "../gauges.js";
import { ours } from "../ours.js";
import { bareComlink } from "../peers/comlink.js";
import type { Measure } from "../row.js";

const ID = "saturation-thread-comlink";

export const saturationThreadComlink: Measure = {
  rows: [
    {
      id: ID,
      what: "saturation, thread isolation, 256 in flight",
      peer: "bare comlink",
      unit: "calls/s",
      direction: "at least",
      bar: 1.2,
      aim: 1.5,
    },
  ],
  seconds: 14,
  round: async (run) => ({
    [ID]: await run.pair(
      () => saturation(ours("thread"), 256, run.ms(1000)),
      () => saturation(bareComlink, 256, run.ms(1000)),
    ),
  }),
};
