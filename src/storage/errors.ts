/** Errors about a data folder. */

import { dirname } from "node:path";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";

/** Returns the error for a damaged `file`; `why` says what was found in it. */
export function corrupt(file: string, why: string): DriverError {
  return new DriverError(
    "ERR_JOURNAL_CORRUPT",
    `${file} is damaged: ${why}; to recover what is readable, run: bulkhead state --data-dir ${dirname(file)} --recover`,
    { file },
  );
}

/** What to do about an error that the system reports for a path. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist; name the folder with --data-dir (dataDir of createPluginHost)",
  ENOTDIR: "it is not a folder; name the folder with --data-dir (dataDir of createPluginHost)",
  EACCES: "this account may not access it; run as its owner",
  EROFS:
    "its file system is read-only; remount it, or name another folder with --data-dir (dataDir of createPluginHost)",
  EIO: "the disk reports an error (EIO); look into the kernel's log, and restore a backup onto a sound disk",
  EMFILE: "this process has no free file descriptor; raise its limit (ulimit -n, LimitNOFILE=)",
  ENFILE: "the machine has no free file descriptor; raise fs.file-max",
};

/** What a system reports when there is no room: space, inodes or a quota. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Returns the error for a file that a later version wrote. */
export function newerFormat(file: string, format: number): DriverError {
  const words = `${file} was written in format ${format}, by a later version of Bulkhead; start that version`;
  return new DriverError("ERR_DATA_DIR", words, { file });
}

/** Returns the error for a disk without room. `free`, `needed`: bytes. */
export function storageFull(folder: string, free: number, needed: number): DriverError {
  const words = `the data folder ${folder} is full: ${free} bytes are free, ${needed} are needed; free some space and try again (deletions still work)`;
  return new DriverError("ERR_STORAGE_FULL", words, { file: folder });
}

export function unusable(folder: string, cause: unknown): DriverError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (FULL.has(code)) {
    const words = `the data folder ${folder} cannot be used: its file system has no room (${messageOf(cause)}); make room for 1 MiB and a few files (inodes), or raise the quota`;
    return new DriverError("ERR_STORAGE_FULL", words, { file: folder, cause });
  }
  const known = REMEDIES[code];
  const why = known ?? messageOf(cause);
  return new DriverError("ERR_DATA_DIR", `the data folder ${folder} cannot be used: ${why}`, { file: folder, cause });
}

/** Returns the error for a write after the host has begun to close. */
export function folderClosed(folder: string): DriverError {
  const words = `the data folder ${folder} is closed, because the host is closing; nothing was written`;
  return new DriverError("ERR_JOURNAL_FAILED", words, { file: folder });
}

/** Returns the error for a write that the disk refused, and for all that would follow it. */
export function notTaken(file: string, cause: unknown): DriverError {
  const isFull = FULL.has((cause as NodeJS.ErrnoException | undefined)?.code ?? "");
  const words = `a write to ${file} failed (${messageOf(cause)}), so the host stopped writing: repair the disk or free space, then restart the host`;
  return new DriverError(isFull ? "ERR_STORAGE_FULL" : "ERR_JOURNAL_FAILED", words, { file, cause });
}
