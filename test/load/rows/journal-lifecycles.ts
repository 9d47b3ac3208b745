/** Whole lifecycles with a data folder, flushed before each answer, against the same without one. */
import { closedLoop } from "#dist/load/closed-loop.js";
import { workOn } from "#dist/load/work.js";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";

const ID = "journal-lifecycles";

async function lifecycles(durable: boolean, ms: number): Promise<number> {
  const house = await openHouse({ durable, plugins: { load: driverSource() } });
  try {
    const target = workOn(house.host.driver("load"), "network");
    return (await closedLoop(target, { inFlight: 256, ms })).perSecond;
  } finally {
    await house.stop();
  }
}

export const journalLifecycles: Measure = {
  rows: [
    {
      id: ID,
      what: "journalled lifecycles, flushed to disk, 256 in flight, process isolation",
      peer: "the same without a data folder",
      unit: "lifecycles/s",
      direction: "at least",
      bar: 0.75,
      aim: 0.9,
    },
  ],
  seconds: 17,
  round: async (run) => ({
    [ID]: await run.pair(
      () => lifecycles(true, run.ms(1000)),
      () => lifecycles(false, run.ms(1000)),
    ),
  }),
};
