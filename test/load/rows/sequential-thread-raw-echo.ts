import { sequential } from "../gauges.js";
import { ours } from "../ours.js";
import { rawEcho } from "../peers/raw-echo.js";
import type { Measure } from "../row.js";

const ID = "sequential-thread-raw-echo";

export const sequentialThreadRawEcho: Measure = {
  rows: [
    {
      id: ID,
      what: "one call after another, p50, thread isolation",
      peer: "raw postMessage echo",
      unit: "µs",
      direction: "at most",
      bar: 1.5,
      aim: 1.2,
    },
  ],
  seconds: 11,
  round: async (run) => ({
    [ID]: await run.pair(
      () => sequential(ours("thread"), run.ms(700)),
      () => sequential(rawEcho, run.ms(700)),
    ),
  }),
};
