/** What the control socket costs calls: ten clients that follow the events, and metrics read every second, against none of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EndpointConfig } from "bulkhead";
import { ControlClient } from "#dist/control/client.js";
import { closedLoop } from "#dist/load/closed-loop.js";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import { type House, openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";

const FOLLOWERS = 10;
const SCRAPE_MS = 1_000;

/** Follows a host, until the returned function is called. */
async function watch({ host }: House): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-control-"));
  const { path } = await host.control(join(folder, "control.sock"));
  const stop = new AbortController();
  const follow = async (): Promise<void> => {
    for await (const _ of new ControlClient(path).events({}, stop.signal));
  };
  const followers = Array.from({ length: FOLLOWERS }, () => follow().catch(() => {}));
  const scrapes = setInterval(() => {
    request({ socketPath: path, path: "/metrics", agent: false }, (response) => response.resume()).end();
  }, SCRAPE_MS);
  return async () => {
    clearInterval(scrapes);
    stop.abort();
    await Promise.all(followers);
    await rm(folder, { recursive: true, force: true });
  };
}

async function load(inFlight: number, ms: number, watched: boolean): Promise<{ perSecond: number; p50: number }> {
  const house = await openHouse({ plugins: { load: driverSource() } });
  const unwatch = watched ? await watch(house) : undefined;
  try {
    const driver = house.host.driver("load");
    await driver.createNetwork(LOAD_NETWORK);
    const { perSecond, latency } = await closedLoop(
      (n) => {
        const { nid, eid, options } = loadRequest(n);
        return driver.createEndpoint(nid, eid, new EndpointConfig(), options);
      },
      { inFlight, ms },
    );
    return { perSecond, p50: latency.p50 };
  } finally {
    await unwatch?.();
    await house.stop();
  }
}

const spec = { peer: "the same without a control socket", bar: null } as const;

export const controlFollowers: Measure = {
  rows: [
    {
      id: "control-saturation",
      what: "saturation with 10 followers and metrics every second, 256 in flight, process isolation",
      ...{ unit: "calls/s", direction: "at least", ...spec },
    },
    {
      id: "control-sequential",
      what: "one call after another, p50, with 10 followers and metrics every second, process isolation",
      ...{ unit: "µs", direction: "at most", ...spec },
    },
  ],
  seconds: 20,
  rounds: 3,
  round: async (run) => ({
    "control-saturation": await run.pair(
      async () => (await load(256, run.ms(1500), true)).perSecond,
      async () => (await load(256, run.ms(1500), false)).perSecond,
    ),
    "control-sequential": await run.pair(
      async () => (await load(1, run.ms(1000), true)).p50,
      async () => (await load(1, run.ms(1000), false)).p50,
    ),
  }),
};
