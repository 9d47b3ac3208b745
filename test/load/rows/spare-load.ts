/** A plugin loaded into a spare that is ready, from the moment its worker is asked for to its driver's first answer. */
import { LOAD_NETWORK } from "#dist/load/request.js";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure, Run } from "../row.js";
import { settle } from "../settle.js";
import { timedLauncher } from "../timed-launcher.js";

async function load(isolation: "thread" | "process", run: Run): Promise<Figures> {
  const threads = timedLauncher(isolation);
  const house = await openHouse({ plugins: { load: driverSource() }, parts: { threads } });
  try {
    await settle(run.ms(600));
    await house.put("next", driverSource({ type: "next" }));
    await house.host.reload("next");
    await house.host.driver("next").createNetwork(LOAD_NETWORK);
    return { ours: performance.now() - threads.asked };
  } finally {
    await house.stop();
  }
}

const spec = { unit: "ms", direction: "at most" } as const;

export const spareLoad: Measure = {
  rows: [
    { id: "spare-load", what: "load into a spare to first driver answer, process isolation", bar: 10, aim: 5, ...spec },
    { id: "spare-load-thread", what: "load into a spare to first driver answer, thread isolation", bar: null, ...spec },
  ],
  seconds: 9,
  round: async (run) => ({
    "spare-load": await load("process", run),
    "spare-load-thread": await load("thread", run),
  }),
};
