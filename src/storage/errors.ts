/** Errors about a data folder. */

import { constants } from "node:os";
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

/** Returns the system's code of an error, if it has one. Node has no name for a used-up quota, only its number. */
export function systemCode(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException;
  if (errno === -constants.errno.EDQUOT) return "EDQUOT";
  return typeof code === "string" ? code : undefined;
}

/** What a system reports when there is no room: space, inodes or a quota. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Returns the error for a file that is intact, and in a layout that this version does not read. */
export function otherFormat(file: string, format: number): DriverError {
  const words = `${file} was written in format ${format}, by another version of Bulkhead; start that version`;
  return new DriverError("ERR_DATA_DIR", words, { file });
}

/**
 * Returns the error for a disk without room. `free`, `needed`: bytes; `cause`: what the system reported, if it was asked. Free bytes of
 * the file system say nothing about a quota, and are not named then.
 */
export function storageFull(folder: string, free: number, needed: number, cause?: unknown): DriverError {
  const why =
    systemCode(cause) === "EDQUOT"
      ? `the quota of this account or folder is used up, and ${needed} bytes are needed; raise the quota or free some space`
      : `its file system has ${free} bytes free for this account, and ${needed} are needed; free some space`;
  const words = `the data folder ${folder} is full: ${why}, and try again (deletions still work)`;
  return new DriverError("ERR_STORAGE_FULL", words, { file: folder, cause });
}

export function unusable(folder: string, cause: unknown): DriverError {
  const code = systemCode(cause) ?? "";
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
  const isFull = FULL.has(systemCode(cause) ?? "");
  const why = systemCode(cause) === "EDQUOT" ? "EDQUOT: the quota is used up" : messageOf(cause);
  const words = `a write to ${file} failed (${why}), so the host stopped writing: repair the disk or free space, then restart the host`;
  return new DriverError(isFull ? "ERR_STORAGE_FULL" : "ERR_JOURNAL_FAILED", words, { file, cause });
}
