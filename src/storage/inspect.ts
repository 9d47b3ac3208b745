/** Reads a data folder from outside: beside a running host, for export, or to recover it from damage. Works on damaged files. */
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { DriverError } from "../driverapi/errors.js";
import { type FirewallRow, type PublishedPort, publishedOf } from "../permissions/firewall/ledger.js";
import { readAbout } from "./about.js";
import { unusable } from "./errors.js";
import { locked } from "./folder.js";
import { isLocked } from "./folder-lock.js";
import { giveToOwner } from "./folder-owner.js";
import { type JournalRow, recordsOf } from "./journal/log-journal.js";
import { readLastFlush } from "./last-flush.js";
import { salvage } from "./legacy/reader.js";
import { readRedo } from "./legacy/redo.js";
import { hasLog, install, moveAside } from "./legacy/take-over.js";
import { readPlain, writeCheckpoint } from "./log/checkpoint.js";
import { type Disk, openDisk } from "./log/disk.js";
import { LogWriter } from "./log/log-writer.js";
import { generations } from "./log/names.js";
import { replay } from "./log/replay.js";
import { readRows } from "./log/row-index.js";
import { type StatePaths, statePaths } from "./paths.js";
import { type Row, TABLES, type Table } from "./tables.js";

/** The contents of a data folder. */
export interface FolderContents {
  readonly folder: string;
  /** True if another process holds the lock, or if that cannot be found out. */
  readonly live: boolean;
  readonly rows: ReadonlyMap<Table, readonly Row[]>;
  /** What could not be read; empty if everything could. */
  readonly problems: readonly string[];
  /** Logs that a checkpoint should have replaced; more than one: checkpoints fail. */
  readonly waiting: number;
}

/** Reads all that is readable, even beside a running host. Throws `ERR_DATA_DIR` where there is no data folder. */
export async function inspectFolder(path: string): Promise<FolderContents> {
  const paths = statePaths(resolve(path));
  assertState(paths);
  // No lock is held meanwhile: a host may start, and what looks damaged may be a write in progress, or a file just replaced.
  for (let tries = 0; ; tries++) {
    const before = isLive(paths);
    try {
      const found = await read(paths, before);
      if (found.problems.length === 0 || !(before || isLive(paths)) || tries === READ_TRIES) return found;
    } catch (error) {
      if (error instanceof DriverError) throw error;
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isGone || !(before || isLive(paths)) || tries === READ_TRIES) throw unusable(paths.folder, error);
    }
  }
}

const READ_TRIES = 5;

/** Throws `ERR_DATA_DIR`, with what to do, if the folder holds no state or cannot be accessed. */
function assertState(paths: StatePaths): void {
  const { folder } = paths;
  try {
    statSync(folder);
    if (hasLog(paths) || existsSync(paths.state)) return;
  } catch (error) {
    throw unusable(folder, error);
  }
  throw unusable(folder, "it holds no state; name the data folder of a host");
}

/** A recovered folder. */
export interface Recovered extends FolderContents {
  /** The folder with the damaged files; undefined: nothing was damaged, and nothing was changed. */
  readonly kept: string | undefined;
}

/**
 * Replaces damaged files by what can be read of them, and moves the damaged ones into a new subfolder, `damaged-…`. Changes
 * nothing if nothing is damaged, reading did not finish, or something would be lost and `lossy` is false. Throws `ERR_DATA_DIR`,
 * `ERR_DATA_LOCKED`, `ERR_OPTIONS`.
 */
export async function recover(path: string, lossy: boolean): Promise<Recovered> {
  const paths = statePaths(resolve(path));
  assertState(paths);
  const lock = await locked(paths);
  try {
    const held = await read(paths, false);
    if (held.problems.length === 0) return { ...held, kept: undefined };
    if (!lossy) {
      const rows = [...held.rows].map(([table, { length }]) => `${length} of ${table}`).join(", ");
      const words = `rows may be lost: ${held.problems.join("; ")}. What can be read: ${rows}. Nothing was changed; to accept the loss, run: bulkhead state --data-dir ${paths.folder} --recover --yes`;
      throw new DriverError("ERR_OPTIONS", words, { file: paths.folder });
    }
    const kept = join(paths.folder, `damaged-${new Date().toISOString().replaceAll(":", "-")}`);
    mkdirSync(kept, { mode: 0o700 });
    giveToOwner(kept, paths.folder);
    // An interruption at any point leaves a folder that can be recovered again.
    if (hasLog(paths)) await rewrite(paths, kept);
    else {
      const writes = [...held.rows].flatMap(([table, rows]) => rows.map(({ key, body }) => ({ table, key, body })));
      await install(paths, writes);
      moveAside(paths, kept);
    }
    return { ...held, kept };
  } finally {
    lock.release();
  }
}

/** Writes the readable rows as the checkpoint of a new generation, links the old files into `kept`, then removes them. */
async function rewrite({ folder, lastFlush }: StatePaths, kept: string): Promise<void> {
  const disk = openDisk(folder);
  const before = filesOf(folder);
  for (const file of before) keep(join(folder, file), join(kept, file));
  const found = replay(disk, () => {}, "read");
  const generation = 1 + Math.max(0, ...generations(before, "log"), ...generations(before, "checkpoint"));
  rmSync(lastFlush, { force: true });
  LogWriter.create(disk, generation).file.close();
  const { file } = await writeCheckpoint(disk, generation, found.n, found.index.all(), readPlain);
  for (const one of [file, ...found.files, ...(found.last ? [found.last.file] : [])]) one.close();
  for (const name of before) if (name !== basename(lastFlush)) disk.remove(name);
}

/** Links a file, or copies it where a file system has no links. */
function keep(file: string, kept: string): void {
  try {
    linkSync(file, kept);
  } catch {
    copyFileSync(file, kept);
  }
}

/** Names of the files that hold a folder's state. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name === "flushed" || /^(log|checkpoint)\.\d+$/.test(name));
}

async function read(paths: StatePaths, live: boolean): Promise<FolderContents> {
  const { folder } = paths;
  const found = hasLog(paths) ? readLog(folder, live) : await readLegacy(paths);
  readAbout(folder, found.rows.get("meta") ?? []);
  return { folder, live, ...found };
}

type Contents = Pick<FolderContents, "rows" | "problems" | "waiting">;

function readLog(folder: string, live: boolean): Contents {
  const problems: string[] = [];
  const disk = openDisk(folder);
  const found = replay(disk, (file, why) => problems.push(`${basename(file)}: ${why}`), "read");
  try {
    // Skipped beside a running host: the number is read after the log, so it may count writes that came in between.
    if (!live) problems.push(...missing(disk, found.n));
    const rows = new Map(TABLES.map((table) => [table, readRows([...found.index.of(table)])]));
    return { rows, problems, waiting: found.files.filter(({ name }) => name.startsWith("log")).length };
  } finally {
    for (const file of [...found.files, ...(found.last ? [found.last.file] : [])]) file.close();
  }
}

/** Returns a problem if `flushed` counts writes that the log does not have. */
function missing(disk: Disk, n: number): readonly string[] {
  try {
    const flushed = readLastFlush(disk);
    return n < flushed ? [`it ends at write ${n}, and write ${flushed} was flushed`] : [];
  } catch (error) {
    if ((error as DriverError).code !== "ERR_JOURNAL_CORRUPT") throw error;
    return ["flushed: it fails its checksum"];
  }
}

/** Reads a folder that lmdb kept. */
async function readLegacy(paths: StatePaths): Promise<Contents> {
  const rows = new Map<Table, readonly Row[]>();
  const problems: string[] = [];
  let last = 0;
  for (const table of TABLES) {
    const found = await salvage(paths.state, table);
    rows.set(table, found.rows);
    last = Math.max(last, found.n);
    if (found.problem !== undefined) problems.push(`${table}: ${found.problem}`);
  }
  for (const { table, key, body } of readRedo(paths.redo, last, false).flatMap(({ writes }) => writes)) {
    const others = (rows.get(table) ?? []).filter((row) => !row.key.equals(key));
    rows.set(table, body === undefined ? others : [...others, { key, body }]);
  }
  return { rows, problems, waiting: 0 };
}

/** True if a host runs on the folder, or if this account may not read the lock. */
function isLive(paths: StatePaths): boolean {
  try {
    return isLocked(paths);
  } catch (error) {
    if (["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return true;
    throw unusable(paths.folder, error);
  }
}

/** Returns the journal's records. */
export function journalRows({ rows }: FolderContents): readonly JournalRow[] {
  return recordsOf(rows.get("journal") ?? []);
}

/** Returns the published ports of all plugins. */
export function publishedPorts({ rows }: FolderContents): readonly PublishedPort[] {
  return publishedOf((rows.get("rules") ?? []).map(({ body }) => JSON.parse(body) as FirewallRow));
}
