/** What the flight recorder costs calls: two hosts with a data folder, one of which records. */
import { byTurns, type Loaded, LoadedHost } from "../by-turns.js";
import { type House, openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure } from "../row.js";

/** A turn, in milliseconds: several of the recorder's writes. */
const TURN_MS = 1_200;

const open = (recorder: boolean): Promise<House> =>
  openHouse({ plugins: { load: driverSource() }, durable: true, parts: { recorder } });

/** Loads the one that records, and the other. */
async function measure(inFlight: number, ms: number, of: (loaded: Loaded) => number): Promise<Figures> {
  const houses: House[] = [];
  try {
    const sides: LoadedHost[] = [];
    for (const recorder of [true, false]) {
      const house = await open(recorder);
      houses.push(house);
      sides.push(await LoadedHost.of(house));
    }
    const [ours, peer] = sides as [LoadedHost, LoadedHost];
    return await byTurns(
      async () => of(await ours.load(inFlight, ms)),
      async () => of(await peer.load(inFlight, ms)),
    );
  } finally {
    for (const house of houses) await house.stop();
  }
}

const spec = { peer: "the same without it", bar: null } as const;

export const flightRecorder: Measure = {
  rows: [
    {
      id: "recorder-saturation",
      what: "saturation with the flight recorder, a data folder on disk, 256 in flight, process isolation",
      ...{ unit: "calls/s", direction: "at least", ...spec },
    },
    {
      id: "recorder-sequential",
      what: "one call after another, p50, with the flight recorder, a data folder on disk, process isolation",
      ...{ unit: "µs", direction: "at most", ...spec },
    },
  ],
  seconds: 30,
  onlyNamed: true,
  rounds: 2,
  round: async (run) => ({
    "recorder-saturation": await measure(256, run.ms(TURN_MS), ({ perSecond }) => perSecond),
    "recorder-sequential": await measure(1, run.ms(TURN_MS), ({ p50 }) => p50),
  }),
};
