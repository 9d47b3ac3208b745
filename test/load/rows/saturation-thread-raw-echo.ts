import { saturation } from "../gauges.js";
import { ours } from "../ours.js";
import { rawEcho } from "../peers/raw-echo.js";
import type { Measure } from "../row.js";

const ID = "saturation-thread-raw-echo";

export const saturationThreadRawEcho: Measure = {
  rows: [
    {
      id: ID,
      what: "saturation, thread isolation, 256 in flight",
      peer: "raw postMessage echo",
      unit: "calls/s",
      direction: "at least",
      bar: 0.45,
      aim: 0.6,
    },
  ],
  seconds: 14,
  round: async (run) => ({
    [ID]: await run.pair(
      () => saturation(ours("thread"), 256, run.ms(1000)),
      () => saturation(rawEcho, 256, run.ms(1000)),
    ),
  }),
};
