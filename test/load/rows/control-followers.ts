/** What the control socket costs calls: ten clients that follow the events, and metrics read every second, against none of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlClient } from "#dist/control/client.js";
import { byTurns, type Loaded, LoadedHost } from "../by-turns.js";
import { type House, openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure } from "../row.js";

const FOLLOWERS = 10;
const SCRAPE_MS = 1_000;
/** A turn, in milliseconds: a scrape at least. */
const TURN_MS = 1_200;

/** Follows a host, until the returned function is called. */
async function watch({ host }: House): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-control-"));
  const socket = await host.control(join(folder, "control.sock"));
  const stop = new AbortController();
  const follow = async (): Promise<void> => {
    for await (const _ of new ControlClient(socket.path).events({}, stop.signal));
  };
  const followers = Array.from({ length: FOLLOWERS }, () => follow().catch(() => {}));
  const scrapes = setInterval(() => {
    request({ socketPath: socket.path, path: "/metrics", agent: false }, (response) => response.resume()).end();
  }, SCRAPE_MS);
  return async () => {
    clearInterval(scrapes);
    stop.abort();
    await Promise.all(followers);
    await socket.close();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Loads one host, with followers and without. */
async function measure(inFlight: number, ms: number, of: (loaded: Loaded) => number): Promise<Figures> {
  const house = await openHouse({ plugins: { load: driverSource() } });
  try {
    const loaded = await LoadedHost.of(house);
    const turn = async (): Promise<number> => of(await loaded.load(inFlight, ms));
    return await byTurns(async () => {
      const unwatch = await watch(house);
      return turn().finally(unwatch);
    }, turn);
  } finally {
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
  seconds: 28,
  rounds: 2,
  round: async (run) => ({
    "control-saturation": await measure(256, run.ms(TURN_MS), ({ perSecond }) => perSecond),
    "control-sequential": await measure(1, run.ms(TURN_MS), ({ p50 }) => p50),
  }),
};
