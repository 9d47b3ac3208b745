/**
 * A power cut or a kill at every moment of recorded lives: what was acknowledged is there, and nothing that was never written. The disk
 * is a model; kills and damage on real files are in killed.test.ts and damage.test.ts.
 */

import { BOOT_KEY } from "#dist/storage/open-log.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import { RECORDED_LIVES } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { SimulatedDisk } from "./simulated-disk.js";

const test = suite("storage/power-cut");
const PATHS = statePaths("/simulated");
const KEYS = 3;

/** A generator of numbers that repeats with its seed. */
function picker(seed: number): (n: number) => number {
  let state = seed >>> 0 || 1;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

interface Told {
  /** How many operations had been done when a caller was told. */
  readonly at: number;
  readonly key: string;
  readonly value: number;
}

interface Life {
  readonly disk: SimulatedDisk;
  /** Flushed writes, and those that outlive the process alone. */
  readonly flushed: readonly Told[];
  readonly kept: readonly Told[];
}

/** Writes at random, with rotations; the values of a key grow. */
async function live(seed: number): Promise<Life> {
  const pick = picker(seed);
  const disk = new SimulatedDisk();
  const state = await StateFile.open(PATHS, "boot", disk);
  await state.put("meta", BOOT_KEY, JSON.stringify("boot"));
  const [flushed, kept]: [Told[], Told[]] = [[], []];
  // Large values make the log grow into further generations.
  const fill = "x".repeat([0, 3000, 60_000][seed % 3] as number);
  let value = 0;
  for (let round = 0; round < 10; round++) {
    const puts: Promise<void>[] = [];
    for (let n = pick(6); n >= 0; n--) {
      const [key, mine] = [`k${pick(KEYS)}`, ++value];
      const body = JSON.stringify([mine, fill]);
      if (pick(3) > 0)
        puts.push(
          state
            .put("journal", Buffer.from(key), body)
            .then(() => void flushed.push({ at: disk.operations.length, key, value: mine })),
        );
      else {
        state.log([{ table: "journal", key: Buffer.from(key), body }]);
        state.commit();
        kept.push({ at: disk.operations.length, key, value: mine });
      }
    }
    if (pick(2) === 0) await Promise.all(puts);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await state.close();
  return { disk, flushed, kept };
}

/** Opens what is left, and compares it with what callers had been told by then. */
async function check(left: SimulatedDisk, boot: string, told: readonly Told[], where: string): Promise<void> {
  const state = await StateFile.open(PATHS, boot, left).catch((error: Error) => {
    throw new Error(`${where}: ${error.message}`);
  });
  const rows = new Map((await state.rows("journal")).map(({ key, body }) => [key.toString(), JSON.parse(body)[0]]));
  for (const { key, value } of told)
    assert.ok((rows.get(key) ?? 0) >= value, `${where}: ${key} is ${rows.get(key)}, and ${value} was acknowledged`);
  await state.close();
}

test(
  `each moment of ${RECORDED_LIVES} lives: killed, and cut off with writes in any order`,
  async () => {
    let [moments, rotations] = [0, 0];
    for (let seed = 1; seed <= RECORDED_LIVES; seed++) {
      const { disk, flushed, kept } = await live(seed);
      const { operations } = disk;
      rotations += operations.filter((one) => one.kind === "rename").length;
      const pick = picker(seed * 7919);
      for (let count = 0; count <= operations.length; count++) {
        moments++;
        const before = (all: readonly Told[]): readonly Told[] => all.filter(({ at }) => at <= count);
        const where = `life ${seed}, ${count} of ${operations.length} operations`;
        await check(disk.killed(count), "boot", [...before(flushed), ...before(kept)], `${where}, killed`);
        await check(disk.cut(count, pick), "another boot", before(flushed), `${where}, cut off`);
      }
    }
    assert.ok(rotations > 0, "no life rotated its log");
    console.log(`${moments} moments, ${rotations} rotations`);
  },
  { ms: 3_600_000 },
);

test.run();
