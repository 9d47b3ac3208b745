/** A data folder: opened by one host at a time, checked before any of it is used, and handed out in parts. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { DriverError } from "../driverapi/errors.js";
import { ABOUT_KEY, newAbout, readAbout } from "./about.js";
import { unusable } from "./errors.js";
import { type FolderLock, lockFolder } from "./folder-lock.js";
import { isMark, markKey } from "./journal/log-journal.js";
import { takeOver } from "./legacy/take-over.js";
import { DATA } from "./limits.js";
import { BOOT_KEY } from "./open-log.js";
import { type StatePaths, statePaths } from "./paths.js";
import { StateFile } from "./state-file.js";
import type { Table } from "./tables.js";

export interface DataFolder {
  readonly path: string;
  readonly state: StateFile;
  /** The ledgers' id. Letters and digits. */
  readonly id: string;
  /** True when the machine has rebooted since the folder was last used: nothing made in the kernel is left. */
  readonly rebooted: boolean;
  /** Flushes, closes, and releases the lock. A second call is harmless. */
  close(): Promise<void>;
}

/**
 * Opens a data folder, and creates it (0700) if it does not exist.
 * Throws `ERR_DATA_DIR`, `ERR_DATA_LOCKED`, `ERR_JOURNAL_CORRUPT`.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path);
  const paths = statePaths(folder);
  prepareFolder(folder);
  const lock = await locked(paths);
  try {
    const bootId = machineRun();
    await takeOver(paths, bootId);
    const state = await StateFile.open(paths, bootId);
    try {
      const meta = await state.rows("meta");
      const known = readAbout(folder, meta);
      const about = known ?? newAbout();
      if (!known) await state.put("meta", ABOUT_KEY, JSON.stringify(about));
      const before = meta.find(({ key }) => key.equals(BOOT_KEY))?.body;
      const rebooted = before !== undefined && before !== JSON.stringify(bootId);
      let closing: Promise<void> | undefined;
      const close = async (): Promise<void> => {
        await state.close();
        lock.release();
      };
      if (rebooted) await forgetMachine(state);
      if (before !== JSON.stringify(bootId)) await state.put("meta", BOOT_KEY, JSON.stringify(bootId));
      return {
        path: folder,
        state,
        id: about.id,
        rebooted,
        close: () => {
          closing ??= close();
          return closing;
        },
      };
    } catch (error) {
      await state.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error instanceof DriverError ? error : unusable(folder, error);
  }
}

/** Forgets what a reboot destroyed: all links, rules and shapes, and every sandbox. Replay recreates networks and endpoints. */
async function forgetMachine(state: StateFile): Promise<void> {
  const gone: { readonly table: Table; readonly key: Buffer }[] = [];
  for (const table of ["links", "rules", "shapes"] as const)
    gone.push(...(await state.rows(table)).map(({ key }) => ({ table, key })));
  for (const row of await state.rows("journal")) {
    // A join, or what was programmed for an endpoint: neither survives a reboot.
    if (isMark(row) || JSON.parse(row.body)[3] === false) continue;
    for (const key of [row.key, markKey(row.key)]) gone.push({ table: "journal", key });
  }
  await Promise.all(gone.map(({ table, key }) => state.put(table, key, undefined)));
}

/** Creates a folder (0700) with its parents if it does not exist. Throws `ERR_DATA_DIR` if it cannot be used. */
export function prepareFolder(folder: string): void {
  try {
    make(folder);
    if (!statSync(folder).isDirectory()) throw new Error("it is not a folder");
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(folder, error);
  }
}

/**
 * Creates a folder and its parents. Not with `recursive`: where no folder can be created, such as in `/proc`, Node then never
 * returns.
 */
function make(folder: string): void {
  if (existsSync(folder)) return;
  make(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/** Locks a folder; a command that looks at it may hold the lock for a moment. Throws `ERR_DATA_LOCKED`, `ERR_DATA_DIR`. */
export async function locked(paths: StatePaths): Promise<FolderLock> {
  for (let tries = 1; ; tries++) {
    try {
      return lockFolder(paths);
    } catch (error) {
      if (!(error instanceof DriverError)) throw unusable(paths.folder, error);
      if (tries === DATA.lockTries) throw error;
      await wait(DATA.lockRetryMs);
    }
  }
}

/** Returns the id of the machine's current boot. Only Linux has one, and elsewhere nothing is made in the kernel. */
function machineRun(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "unknown";
  }
}
