/** Reads a data folder from outside: beside a running host, for export, or to recover it from damage. Works on damaged files. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { DriverError } from "../driverapi/errors.js";
import { type FirewallRow, type PublishedPort, publishedOf } from "../permissions/firewall/ledger.js";
import { unusable } from "./errors.js";
import { locked } from "./folder.js";
import type { JournalRow } from "./journal/lmdb-journal.js";
import { type StatePaths, statePaths } from "./paths.js";
import { salvage } from "./reader.js";
import { readRedoLog } from "./redo-log.js";
import { StateFile } from "./state-file.js";
import { type Row, TABLES, type Table } from "./tables.js";

/** The contents of a data folder. */
export interface FolderContents {
  readonly folder: string;
  /** True if a host is running on it. */
  readonly live: boolean;
  readonly rows: ReadonlyMap<Table, readonly Row[]>;
  /** What could not be read; empty if everything could. */
  readonly problems: readonly string[];
}

/** Reads whatever is readable. Throws `ERR_DATA_DIR` where there is no data folder. */
export async function inspectFolder(path: string): Promise<FolderContents> {
  const paths = statePaths(resolve(path));
  assertState(paths);
  const lock = tryLock(paths);
  try {
    return await read(paths, lock === undefined);
  } finally {
    lock?.release();
  }
}

/** Throws `ERR_DATA_DIR`, with what to do, if the state file does not exist or cannot be accessed. */
function assertState({ folder, state }: StatePaths): void {
  try {
    statSync(state);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw unusable(folder, code === "ENOENT" && existsSync(folder) ? `there is no ${basename(state)} in it` : error);
  }
}

/**
 * Replaces damaged files by what can be read of them. First copies the damaged files into a new folder beside, whose path is
 * returned. Throws `ERR_DATA_DIR`, `ERR_DATA_LOCKED`.
 */
export async function recover(path: string): Promise<FolderContents & { readonly kept: string }> {
  const paths = statePaths(resolve(path));
  if (!existsSync(paths.folder)) assertState(paths);
  const lock = locked(paths);
  try {
    const held = await read(paths, false);
    const kept = join(paths.folder, `damaged-${new Date().toISOString().replaceAll(":", "-")}`);
    mkdirSync(kept, { mode: 0o700 });
    for (const file of [paths.state, paths.lastFlush, ...paths.redo]) {
      if (existsSync(file)) cpSync(file, join(kept, basename(file)));
    }
    const made = statePaths(join(paths.folder, "recovering"));
    rmSync(made.folder, { recursive: true, force: true });
    mkdirSync(made.folder, { mode: 0o700 });
    const state = await StateFile.open(made, "");
    await Promise.all(
      [...held.rows].flatMap(([table, rows]) => rows.map(({ key, body }) => state.put(table, key, body))),
    );
    await state.close();
    // In this order: an interruption at any point leaves a folder that can be recovered again.
    renameSync(made.state, paths.state);
    rmSync(`${paths.state}-lock`, { force: true });
    for (const file of paths.redo) rmSync(file, { force: true });
    renameSync(made.lastFlush, paths.lastFlush);
    rmSync(made.folder, { recursive: true, force: true });
    return { ...held, kept };
  } finally {
    lock.release();
  }
}

async function read(paths: StatePaths, live: boolean): Promise<FolderContents> {
  const rows = new Map<Table, readonly Row[]>();
  const problems: string[] = [];
  let last = 0;
  for (const table of TABLES) {
    const found = existsSync(paths.state) ? await salvage(paths.state, table, live) : { rows: [], n: 0 };
    rows.set(table, found.rows);
    last = Math.max(last, found.n);
    if (found.problem !== undefined) problems.push(`${table}: ${found.problem}`);
  }
  // Beside a running host these writes are already on their way into the file.
  if (!live) redo(paths, last, rows);
  return { folder: paths.folder, live, rows, problems };
}

function redo(paths: StatePaths, n: number, rows: Map<Table, readonly Row[]>): void {
  for (const { writes } of readRedoLog(paths.redo, n, false)) {
    for (const { table, key, body } of writes) {
      const others = (rows.get(table) ?? []).filter((row) => !row.key.equals(key));
      rows.set(table, body === undefined ? others : [...others, { key, body }]);
    }
  }
}

function tryLock(paths: StatePaths): ReturnType<typeof locked> | undefined {
  try {
    return locked(paths);
  } catch (error) {
    if (error instanceof DriverError && error.code === "ERR_DATA_LOCKED") return undefined;
    throw error;
  }
}

/** Returns the journal's rows, as they were written. */
export function journalRows({ rows }: FolderContents): readonly JournalRow[] {
  return (rows.get("journal") ?? []).map(({ body }) => JSON.parse(body) as JournalRow);
}

/** Returns the published ports of all plugins. */
export function publishedPorts({ rows }: FolderContents): readonly PublishedPort[] {
  return publishedOf((rows.get("rules") ?? []).map(({ body }) => JSON.parse(body) as FirewallRow));
}
