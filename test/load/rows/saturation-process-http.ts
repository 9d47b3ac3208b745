import { saturation } from "../gauges.js";
import { ours } from "../ours.js";
import { httpUnix } from "../peers/http-unix.js";
import type { Measure } from "../row.js";

const ID = "saturation-process-http";

export const saturationProcessHttp: Measure = {
  rows: [
    {
      id: ID,
      what: "saturation, process isolation, 256 in flight",
      peer: "HTTP over a Unix socket",
      unit: "calls/s",
      direction: "at least",
      bar: 5,
      aim: 7,
    },
  ],
  seconds: 15,
  round: async (run) => ({
    [ID]: await run.pair(
      () => saturation(ours("process"), 256, run.ms(1000)),
      () => saturation(httpUnix, 256, run.ms(1000)),
    ),
  }),
};
