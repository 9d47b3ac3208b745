/**
 * The data folder's reader: whatever its files hold, it gives rows that were written, or says which file is damaged; recovery reads on.
 * No frame passes that the file's salt does not seal.
 */
import fc from "fast-check";
import { DriverError } from "#dist/driverapi/errors.js";
import { encodeFrame } from "#dist/storage/log/frame.js";
import { headOf, seedOf } from "#dist/storage/log/names.js";
import { replay } from "#dist/storage/log/replay.js";
import { textAt } from "#dist/storage/log/row-index.js";
import { TABLES, type Table } from "#dist/storage/tables.js";
import { SimulatedDisk } from "../../storage/simulated-disk.js";
import { changeBuffer } from "../mutate.js";
import type { Random } from "../random.js";
import { must, mustBeLine, type Outcome, type Target } from "../target.js";

const SALT = "0123456789abcdef";
const MOST = 4096;
const KINDS = ["log", "checkpoint"] as const;
const NAMES = { log: "log.000001", checkpoint: "checkpoint.000001" } as const;

/** All values that were ever written begin like this, with their key behind. */
const writtenValue = (table: Table, key: string): string => `value of ${table} ${key}`;

/** A file with some frames, and an empty one at its end. */
function fileOf(kind: (typeof KINDS)[number], groups: readonly (readonly [Table, string, boolean][])[]): Buffer {
  const parts = [headOf(kind, 1, SALT)];
  let [n, end] = [0, 128];
  for (const group of [...groups, []]) {
    n += group.length;
    const writes = group.map(([table, key, gone]) => ({
      table,
      key: Buffer.from(key),
      body: gone ? undefined : writtenValue(table, key),
    }));
    const frame = Buffer.from(encodeFrame(writes, n, end, seedOf(SALT)));
    parts.push(frame);
    end += frame.length;
  }
  return Buffer.concat([...parts, Buffer.alloc(64)]);
}

const group = fc.array(fc.tuple(fc.constantFrom<Table>(...TABLES), fc.constantFrom("a", "b", "nid-1"), fc.boolean()), {
  minLength: 1,
  maxLength: 4,
});
const valid = fc
  .tuple(fc.constantFrom(...KINDS), fc.array(group, { maxLength: 6 }))
  .map(([kind, groups]) => fileOf(kind, groups));

const CORPUS = fc.sample(valid, { seed: 1, numRuns: 24 });

const SEVERAL = fileOf("log", [[["journal", "a", false]], [["store", "b", false]], [["store", "b", true]]]);

function changed(change: (bytes: Buffer) => unknown): Buffer {
  const copy = Buffer.from(SEVERAL);
  change(copy);
  return copy;
}

/** Heads of a later layout, of one copy, of none, and of none with a damaged first frame; frames with an unknown table, or cut short. */
const ONCE: readonly Buffer[] = [
  Buffer.from(SEVERAL.toString("latin1").replaceAll("log 1 ", "log 7 "), "latin1"),
  changed((bytes) => bytes.fill(0, 0, 64)),
  changed((bytes) => bytes.fill(0, 0, 128)),
  changed((bytes) => bytes.fill(0, 0, 128).fill(0, 150, 151)),
  changed((bytes) => bytes.fill(0, 0, 128).fill(9, 152, 153)),
  changed((bytes) => bytes.fill(0, 0, 128).fill(255, 132, 136)),
  changed((bytes) => bytes.fill(0, 0, 128).fill(255, 154, 158)),
  SEVERAL.subarray(0, 140),
  Buffer.alloc(0),
];

/** Reads a folder with this file. Returns how many rows it has; undefined: it is refused. */
function read(bytes: Buffer): number | undefined {
  const kind = bytes.subarray(0, 24).includes("checkpoint") ? "checkpoint" : "log";
  const files = { [NAMES[kind]]: bytes, ...(kind === "checkpoint" ? { [NAMES.log]: headOf("log", 1, SALT) } : {}) };
  try {
    return rowsIn(SimulatedDisk.of(files));
  } catch (error) {
    must(error instanceof DriverError, `not an error of ours: ${error instanceof Error ? error.stack : String(error)}`);
    must(["ERR_JOURNAL_CORRUPT", "ERR_DATA_DIR"].includes(error.code), error.code);
    mustBeLine(error.message);
    must(/(log|checkpoint)\.000001/.test(error.message), `no file is named: ${error.message}`);
    return undefined;
  } finally {
    recovered(files);
  }
}

/** Recovery reads on, except in a file of a later layout. */
function recovered(files: Readonly<Record<string, Buffer>>): void {
  try {
    rowsIn(SimulatedDisk.of(files), () => {});
  } catch (error) {
    must(error instanceof DriverError && error.code === "ERR_DATA_DIR", `recovery throws ${String(error)}`);
  }
}

function rowsIn(disk: SimulatedDisk, problem?: () => void): number {
  const { index } = replay(disk, problem, "read");
  const rows = index.all();
  for (const { table, key, location } of rows)
    must(textAt(location) === writtenValue(table, key), `a value that was never written: ${table} ${key}`);
  return rows.length;
}

function run(input: unknown): Outcome {
  if (!Buffer.isBuffer(input)) throw new TypeError("a file is bytes");
  const rows = read(input);
  if (rows === undefined) return { reach: "refused" };
  return { reach: rows > 0 || input.length > 128 ? "accepted" : "unread" };
}

export const log: Target = {
  name: "data folder's log",
  corpus: CORPUS.map((bytes) => bytes.toString("base64")),
  input: (text) => Buffer.from(text, "base64"),
  once: ONCE,
  most: MOST,
  files: [
    { file: "storage/log/frame.js", functions: ["readFrame", "nextFrame", "readWrites", "seedOfFrame"] },
    { file: "storage/log/names.js", functions: ["readHead", "saltsIn"] },
    { file: "storage/log/replay.js", functions: ["readFile", "flushedLater", "salvagedSeed"] },
  ],
  generated: fc.oneof(
    { weight: 3, arbitrary: valid },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...KINDS), fc.uint8Array({ maxLength: 600 }))
        .map(([kind, bytes]) => Buffer.concat([headOf(kind, 1, SALT), bytes])),
    },
  ),
  mutated: (random: Random) => changeBuffer(random.pick(CORPUS), random, CORPUS, MOST),
  run,
};
