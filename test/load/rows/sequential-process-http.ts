import { sequential } from "../gauges.js";
import { ours } from "../ours.js";
import { httpUnix } from "../peers/http-unix.js";
import type { Measure } from "../row.js";

const ID = "sequential-process-http";

export const sequentialProcessHttp: Measure = {
  rows: [
    {
      id: ID,
      what: "one call after another, p50, process isolation",
      peer: "HTTP over a Unix socket",
      unit: "µs",
      direction: "at most",
      bar: 0.85,
      aim: 0.6,
    },
  ],
  seconds: 11,
  round: async (run) => ({
    [ID]: await run.pair(
      () => sequential(ours("process"), run.ms(700)),
      () => sequential(httpUnix, run.ms(700)),
    ),
  }),
};
