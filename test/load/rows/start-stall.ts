/** The longest turn of the platform's event loop while host processes start one after another and the platform holds much memory. */
import { HostProcess } from "#dist/isolation/host-process.js";
import { WALLS } from "#dist/isolation/limits.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import type { Wall } from "#dist/isolation/walls/wall.js";
import { acquireSpawner } from "#dist/spawner/spawner.js";
import type { Measure, Run } from "../row.js";

const MEBIBYTE = 1_048_576;

/** Starts so many shared host processes, each when the one before has ended. */
async function starts(wall: Wall, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const one = new HostProcess({
      wall,
      isolation: "process",
      dataMb: WALLS.dataMbShared,
      residentMb: WALLS.residentMbShared,
      warmMb: 32,
      ending: () => false,
    });
    await one.ready;
    one.kill("it was started");
    await one.ended;
  }
}

/** Returns the longest turn of the loop until the work is done, in milliseconds: the loop never waits meanwhile. */
async function longestTurn(work: Promise<void>): Promise<number> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  let longest = 0;
  let last = performance.now();
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await done;
  return longest;
}

async function stall(wall: Wall, run: Run): Promise<number> {
  const held = Array.from({ length: run.count(500, 20) }, () => Buffer.alloc(MEBIBYTE, 1));
  const longest = await longestTurn(starts(wall, run.count(20, 2)));
  return held.length > 0 ? longest : Number.NaN;
}

const spec = { unit: "ms", direction: "at most" } as const;
const WHAT = "longest stall of the platform's loop, 500 MB resident, while 20 host processes start one after another";

export const startStall: Measure = {
  rows: [
    { id: "start-stall", what: WHAT, bar: 5, aim: 2, ...spec },
    { id: "start-stall-alone", what: `${WHAT}, without the spawner`, bar: null, ...spec },
  ],
  seconds: 30,
  // The other rows take ten minutes already.
  onlyNamed: true,
  async round(run) {
    const wall = await raiseWall("auto", undefined);
    try {
      const alone = await stall(wall, run);
      const lease = acquireSpawner((detail) => console.error(detail));
      await lease.settled;
      try {
        return { "start-stall": { ours: await stall(wall, run) }, "start-stall-alone": { ours: alone } };
      } finally {
        await lease.release();
      }
    } finally {
      wall.release();
    }
  },
};
