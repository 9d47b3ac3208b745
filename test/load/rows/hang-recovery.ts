/** A driver that hangs for good, 20 networks, a spare ready: from the hung call's deadline to the next good answer. */
import { EndpointConfig } from "bulkhead";
import { loadId } from "#dist/load/request.js";
import type { Isolation } from "../costs.js";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure, Run } from "../row.js";
import { settle } from "../settle.js";

const NETWORKS = 20;
const DEADLINE_MS = 300;
const HANGS = driverSource({
  methods: `endpointOperInfo(nid, eid) { if (eid === "hang") for (;;); return {}; },`,
});

async function hang(isolation: Isolation, run: Run): Promise<Figures> {
  const policy = { defaults: { timeouts: { endpointOperInfo: DEADLINE_MS } } };
  const house = await openHouse({ isolation, plugins: { load: HANGS }, policy });
  try {
    const driver = house.host.driver("load");
    for (let n = 0; n < NETWORKS; n++) await driver.createNetwork(loadId(n));
    for (const eid of ["hang", "good"]) await driver.createEndpoint(loadId(0), eid, new EndpointConfig());
    await settle(run.ms(600));
    const deadline = performance.now() + DEADLINE_MS;
    await driver.endpointOperInfo(loadId(0), "hang").then(
      () => Promise.reject(new Error("it did not hang")),
      () => {},
    );
    for (;;) {
      const good = await driver.endpointOperInfo(loadId(0), "good").then(
        () => true,
        () => false,
      );
      if (good) return { ours: performance.now() - deadline };
    }
  } finally {
    await house.stop();
  }
}

const spec = { unit: "ms", direction: "at most" } as const;

export const hangRecovery: Measure = {
  rows: [
    {
      id: "hang-recovery",
      what: "hang's deadline to next good answer, 20 networks, process isolation",
      bar: 50,
      aim: 15,
      ...spec,
    },
    {
      id: "hang-recovery-thread",
      what: "hang's deadline to next good answer, 20 networks, thread isolation",
      bar: null,
      ...spec,
    },
  ],
  seconds: 12,
  round: async (run) => ({
    "hang-recovery": await hang("process", run),
    "hang-recovery-thread": await hang("thread", run),
  }),
};
