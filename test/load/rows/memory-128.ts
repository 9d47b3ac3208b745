import { hold } from "../memory.js";
import type { Measure } from "../row.js";

const ID = "memory-128";

export const memory128: Measure = {
  rows: [
    {
      id: ID,
      what: "resident memory of each of 128 idle plugins, thread isolation",
      peer: "bare SES worker, 128 of them",
      unit: "MiB",
      direction: "at most",
      bar: 1.3,
      aim: 1.1,
    },
  ],
  seconds: 48,
  // It varies by a few per cent, and takes long.
  rounds: 2,
  async round(run) {
    const count = run.count(128, 8);
    return {
      [ID]: await run.pair(
        async () => (await hold("thread", count, run.ms(800))).mb,
        async () => (await hold("bare", count, run.ms(800))).mb,
      ),
    };
  },
};
