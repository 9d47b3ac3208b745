/** A row appended and flushed, against a bare program and other stores that flush a group of rows at once. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { REPO } from "../../kit/host.js";
import { BASE, LMDB_COMMIT, noBase } from "../base-build.js";
import { DISK } from "../hosts.js";
import type { Measure } from "../row.js";
import { type Keeper, perRow } from "../storage/journal-work.js";
import { Bare, dataFolder, Sqlite } from "../storage/keepers.js";

/** More than a row takes in the bare program's file. */
const ROW_BYTES = 1024;

type Open = (folder: string, rows: number) => Keeper | Promise<Keeper>;
const ours: Open = (folder) => dataFolder(REPO, folder);
const bare: Open = (folder, rows) => new Bare(folder, rows * ROW_BYTES);
const lmdb: Open = (folder) => dataFolder(BASE, folder);
const sqlite: Open = (folder) => new Sqlite(folder);

async function taken(open: Open, callers: number, rounds: number): Promise<number> {
  const folder = await mkdtemp(join(DISK, "bulkhead-load-"));
  try {
    const keeper = await open(folder, callers * rounds * 2);
    try {
      return await perRow(keeper, callers, rounds);
    } finally {
      await keeper.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each caller's rows of a full run. */
const ROUNDS: Readonly<Record<number, number>> = { 1: 800, 64: 200 };

/** Bars in times the peer's microseconds. */
function against(id: string, peer: string, open: Open, callers: 1 | 64, bar: number, aim: number): Measure {
  return {
    rows: [
      {
        id,
        what: `a journal row, appended and flushed, ${callers === 1 ? "one caller" : `${callers} callers`}`,
        peer,
        unit: "µs",
        direction: "at most",
        bar,
        aim,
      },
    ],
    seconds: 8,
    ...(open === lmdb ? { lacks: noBase } : {}),
    round: async (run) => {
      const rounds = run.count(ROUNDS[callers] ?? 0, 8);
      return {
        [id]: await run.pair(
          () => taken(ours, callers, rounds),
          () => taken(open, callers, rounds),
        ),
      };
    },
  };
}

const GROUP = "one write and one fdatasync per group";
const LMDB = `lmdb, as ${LMDB_COMMIT} used it`;
const SQLITE = "SQLite, WAL, synchronous=FULL";

export const storageAppend: readonly Measure[] = [
  against("storage-append-1", GROUP, bare, 1, 1.2, 1.05),
  against("storage-append-64", GROUP, bare, 64, 1.2, 1.05),
  against("storage-lmdb", LMDB, lmdb, 64, 1, 0.33),
  against("storage-sqlite", SQLITE, sqlite, 64, 1, 0.33),
];
