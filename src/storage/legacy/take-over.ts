/**
 * Takes over a data folder of an earlier version, which lmdb kept. lmdb is loaded only here, in a process of its own that reads the
 * folder: a damaged page may end the process that reads it.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { corrupt } from "../errors.js";
import { giveToOwner } from "../folder-owner.js";
import { readLastFlush } from "../last-flush.js";
import { openDisk } from "../log/disk.js";
import { generations, nameOf } from "../log/names.js";
import { BOOT_KEY } from "../open-log.js";
import { type StatePaths, statePaths } from "../paths.js";
import { StateFile } from "../state-file.js";
import { TABLES, type Write } from "../tables.js";
import { check, salvage } from "./reader.js";
import { readRedo } from "./redo.js";

/**
 * Writes what an earlier version kept into a log, and moves the old files aside. Does nothing for any other folder. An interruption at
 * any point leaves a folder that is taken over at the next opening.
 * Throws `ERR_JOURNAL_CORRUPT`, `ERR_DATA_DIR`, `ERR_STORAGE_FULL`.
 */
export async function takeOver(paths: StatePaths, bootId: string): Promise<void> {
  if (!hasLog(paths) && existsSync(paths.state)) await install(paths, await readAll(paths, bootId));
  moveAside(paths, paths.aside);
}

/** True if the folder has a log, and is not of an earlier version. */
export function hasLog({ folder }: StatePaths): boolean {
  const names = openDisk(folder).list();
  return generations(names, "log").length > 0 || generations(names, "checkpoint").length > 0;
}

/** Writes rows as the log of a folder that has none. */
export async function install(paths: StatePaths, writes: readonly Write[]): Promise<void> {
  const made = statePaths(join(paths.folder, "taking-over"));
  rmSync(made.folder, { recursive: true, force: true });
  mkdirSync(made.folder, { mode: 0o700 });
  giveToOwner(made.folder, paths.folder);
  const state = await StateFile.open(made, "");
  try {
    await Promise.all(writes.map(({ table, key, body }) => state.put(table, key, body)));
  } finally {
    await state.close();
  }
  // The number of lmdb's last flush must not be compared with the log.
  rmSync(paths.lastFlush, { force: true });
  const log = nameOf("log", 1);
  renameSync(join(made.folder, log), join(paths.folder, log));
  renameSync(made.lastFlush, paths.lastFlush);
  await openDisk(paths.folder).flushFolder();
  rmSync(made.folder, { recursive: true, force: true });
}

/** Reads all rows of an earlier version's folder. */
async function readAll(paths: StatePaths, bootId: string): Promise<readonly Write<Buffer>[]> {
  const removeCopy = (): void => {
    for (const file of [paths.fresh, `${paths.fresh}-lock`]) rmSync(file, { force: true });
  };
  removeCopy();
  const problem = await check(paths.state, paths.fresh, readLastFlush(openDisk(paths.folder)));
  try {
    if (problem !== undefined) throw corrupt(paths.state, problem);
    const rows: Write<Buffer>[] = [];
    let last = 0;
    for (const table of TABLES) {
      const found = await salvage(paths.fresh, table);
      if (found.problem !== undefined) throw corrupt(paths.state, found.problem);
      rows.push(...found.rows.map(({ key, body }) => ({ table, key, body })));
      last = Math.max(last, found.n);
    }
    const boot = rows.find(({ table, key }) => table === "meta" && key.equals(BOOT_KEY))?.body;
    const sameBoot = boot === JSON.stringify(bootId);
    return [...rows, ...readRedo(paths.redo, last, sameBoot).flatMap(({ writes }) => writes)];
  } finally {
    removeCopy();
  }
}

/** Moves an earlier version's files into the folder `aside`. */
export function moveAside(paths: StatePaths, aside: string): void {
  const old = [paths.state, `${paths.state}-lock`, ...paths.redo].filter((file) => existsSync(file));
  if (old.length === 0) return;
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  giveToOwner(aside, paths.folder);
  for (const file of old) renameSync(file, join(aside, basename(file)));
}
