/** Backups of a data folder: made beside a running host, in one file or in a folder that a host can open; restored into an empty folder. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { ABOUT_KEY, type About, readAbout } from "./about.js";
import { corrupt, unusable } from "./errors.js";
import { locked, prepareFolder } from "./folder.js";
import { inspectFolder } from "./inspect.js";
import { hasLog, install } from "./legacy/take-over.js";
import { writeCheckpoint } from "./log/checkpoint.js";
import { type Disk, openDisk, openFileAs } from "./log/disk.js";
import { nameOf } from "./log/names.js";
import { replay } from "./log/replay.js";
import { type Placed, readRows } from "./log/row-index.js";
import { statePaths } from "./paths.js";
import { CHECKED, rowValue } from "./row-shape.js";
import { type Row, TABLES, type Table, type Write } from "./tables.js";

/** What was backed up or restored. */
export interface BackedUp {
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
  /** True if a host ran on the folder. */
  readonly live: boolean;
}

type Tables = ReadonlyMap<Table, readonly Row[]>;

/** Name of a backup's only file, in the format of the log: a checkpoint, whose end is marked. */
const NAME: string = nameOf("checkpoint", 1);

/**
 * Writes the state of the data folder at `path`, as it is at one moment, to `target`: a new file, or with `as` "folder" a new folder
 * that a host can open. Leaves nothing behind if it fails. Throws `ERR_OPTIONS`, `ERR_DATA_DIR`, `ERR_JOURNAL_CORRUPT`,
 * `ERR_STORAGE_FULL`.
 */
export async function backUp(path: string, target: string, as: "file" | "folder"): Promise<BackedUp> {
  const to = resolve(target);
  if (existsSync(to)) throw exists(target);
  const held = await inspectFolder(path);
  if (!hasLog(statePaths(held.folder)))
    throw unusable(
      held.folder,
      new Error("an earlier version wrote it; start a host on it first, or copy it while none runs"),
    );
  if (held.problems.length > 0) throw corrupt(join(held.folder, "log"), held.problems.join("; "));
  try {
    if (as === "file") await writeFile(to, held.rows);
    else await writeFolder(to, held.rows);
  } catch (error) {
    if (error instanceof DriverError) throw error;
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw exists(target);
    throw new DriverError("ERR_OPTIONS", `the backup ${target} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return { rows: countsOf(held.rows), live: held.live };
}

/**
 * Writes what a backup holds into the data folder at `path`, which must be empty, or not exist. An interruption leaves no state there.
 * Throws `ERR_DATA_LOCKED` if a host runs on it, `ERR_OPTIONS`, `ERR_DATA_DIR`, and `ERR_JOURNAL_CORRUPT` if the backup is damaged.
 */
export async function restore(from: string, path: string): Promise<BackedUp> {
  const rows = await readBackup(resolve(from));
  const folder = resolve(path);
  prepareFolder(folder);
  const paths = statePaths(folder);
  const lock = await locked(paths);
  try {
    const held = readdirSync(folder).filter((name) => name !== basename(paths.lock));
    if (held.length > 0)
      throw new DriverError(
        "ERR_OPTIONS",
        `the data folder ${folder} is not empty; a backup is restored into an empty one: move it away first (mv ${folder} ${folder}.old), or name another with --data-dir`,
        { file: folder },
      );
    await install(paths, writesOf(rows));
    return { rows: countsOf(rows), live: false };
  } finally {
    lock.release();
  }
}

async function readBackup(from: string): Promise<Tables> {
  const rows = await readRowsOf(from);
  refuseForeign(from, rows);
  return rows;
}

/** Refuses rows that no backup has: a file from elsewhere would be found wrong only by the host that starts on it. */
function refuseForeign(from: string, rows: Tables): void {
  const meta = rows.get("meta") ?? [];
  if (!meta.some(({ key }) => key.equals(ABOUT_KEY))) throw damaged(from, ["it does not say which format it has"]);
  for (const table of CHECKED) for (const { body } of rows.get(table) ?? []) rowValue(from, table, body);
  let about: About | undefined;
  try {
    about = readAbout(from, meta);
  } catch (error) {
    if (error instanceof DriverError) throw error;
    throw damaged(from, [messageOf(error)]);
  }
  if (about === undefined || typeof about.id !== "string" || !/^d[\da-f]{16}$/.test(about.id))
    throw damaged(from, ["the id of its links and rules is not one that a host makes"]);
}

async function readRowsOf(from: string): Promise<Tables> {
  let isFile: boolean;
  try {
    isFile = statSync(from).isFile();
  } catch (error) {
    throw new DriverError("ERR_OPTIONS", `the backup ${from} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (isFile) return readFile(from);
  const { rows, problems } = await inspectFolder(from);
  if (problems.length > 0) throw damaged(from, problems);
  return rows;
}

/** Reads a backup's file. Everything in it must be intact, up to its last frame. */
function readFile(path: string): Tables {
  const disk: Disk = {
    ...openDisk(dirname(path)),
    path: () => path,
    list: () => [NAME],
    open: () => openFileAs(path, NAME),
  };
  const problems: string[] = [];
  const found = replay(
    disk,
    (_, why) => {
      // It has no log.
      if (why !== GONE) problems.push(why);
    },
    "read",
  );
  try {
    if (problems.length > 0) throw damaged(path, problems);
    const rows = new Map(TABLES.map((table) => [table, readRows([...found.index.of(table)])]));
    return rows;
  } finally {
    for (const file of found.files) file.close();
  }
}

const GONE = "it is gone";

/** Writes the rows into a folder beside the file, and gives the file its name once it is whole and on the disk. */
async function writeFile(to: string, rows: Tables): Promise<void> {
  const folder = mkdtempSync(join(dirname(to), ".bulkhead-backup-"));
  try {
    const disk = openDisk(folder);
    const bodies: string[] = [];
    const placed = [...rows].flatMap(([table, all]) =>
      all.map(({ key, body }): Placed => {
        const location = { file: NOWHERE, at: bodies.push(body) - 1, bytes: Buffer.byteLength(body) };
        return { table, key: key.toString("latin1"), location };
      }),
    );
    const read = function* (_: unknown, some: readonly Placed[]) {
      for (const row of some) yield [{ row, body: bodies[row.location.at] ?? "" }];
    };
    (await writeCheckpoint(disk, 1, placed.length, placed, read)).file.close();
    place(disk.path(NAME), to);
    await openDisk(dirname(to)).flushFolder();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A placeholder for the file of rows that are in memory. */
const NOWHERE = {} as Placed["location"]["file"];

/** Links a file to its final name, or copies it where links are not supported; never replaces another file. */
function place(file: string, to: string): void {
  try {
    linkSync(file, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    copyFileSync(file, to, constants.COPYFILE_EXCL);
    try {
      const copy = openSync(to, "r+");
      fsyncSync(copy);
      closeSync(copy);
    } catch (failure) {
      rmSync(to, { force: true });
      throw failure;
    }
  }
}

async function writeFolder(to: string, rows: Tables): Promise<void> {
  mkdirSync(to, { mode: 0o700 });
  try {
    await install(statePaths(to), writesOf(rows));
  } catch (error) {
    rmSync(to, { recursive: true, force: true });
    throw error;
  }
}

function writesOf(rows: Tables): readonly Write[] {
  return [...rows].flatMap(([table, all]) => all.map(({ key, body }) => ({ table, key, body })));
}

function countsOf(rows: Tables): Readonly<Record<string, number>> {
  return Object.fromEntries([...rows].map(([table, { length }]) => [table, length]));
}

function exists(target: string): DriverError {
  return new DriverError("ERR_OPTIONS", `${target}: it already exists; name a new file or folder for the backup`, {
    file: target,
  });
}

function damaged(from: string, problems: readonly string[]): DriverError {
  const words = `${from} is damaged, or not a backup: ${problems.join("; ")}; nothing was restored`;
  return new DriverError("ERR_JOURNAL_CORRUPT", words, { file: from });
}
