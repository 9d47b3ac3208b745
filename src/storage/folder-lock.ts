/**
 * Locks a data folder for one host with the system's `flock` command, on a descriptor that this process keeps: the lock ends with
 * the process and holds across PID namespaces. Without `flock`, the PID in the file is checked instead.
 */
import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { DriverError } from "../driverapi/errors.js";
import { program } from "../permissions/netlink/kernel/programs.js";
import { giveToOwner } from "./folder-owner.js";
import type { StatePaths } from "./paths.js";

export interface FolderLock {
  release(): void;
}

/** Locks a folder. Throws `ERR_DATA_LOCKED`, which names the folder and the process that uses it. */
export function lockFolder({ folder, lock }: StatePaths): FolderLock {
  // Non-blocking: a FIFO in its place would otherwise hold the loop.
  const { O_RDWR, O_APPEND, O_CREAT, O_NONBLOCK, O_NOFOLLOW } = constants;
  const fd = openSync(lock, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0o600);
  try {
    giveToOwner(fd, folder);
    if (!fstatSync(fd).isFile()) throw new Error(`${lock} is not a file; remove it`);
    const holder = readFileSync(lock, "latin1").trim();
    if (!take(fd, holder, "-x")) {
      const holding = /^\d+$/.test(holder) ? `process ${holder}` : "another process";
      throw new DriverError(
        "ERR_DATA_LOCKED",
        `the data folder ${folder} is in use by ${holding}; give each host a folder of its own, or end that process first`,
        { file: folder },
      );
    }
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    release() {
      // The file stays: a process that waits for the lock has it open, and a new file would be a different lock.
      try {
        ftruncateSync(fd, 0);
      } catch {
        // The disk takes no more writes. A PID that is left says nothing once the lock is free.
      } finally {
        closeSync(fd);
      }
    },
  };
}

/**
 * True if a host has locked the folder. Asks with a shared lock, which is released at once: `lockFolder` tries for longer than that.
 * Throws what the system reports.
 */
export function isLocked({ lock }: StatePaths): boolean {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  let fd: number;
  try {
    fd = openSync(lock, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    return fstatSync(fd).isFile() && !take(fd, readFileSync(lock, "latin1").trim(), "-s");
  } finally {
    closeSync(fd);
  }
}

function take(fd: number, holder: string, how: "-s" | "-x"): boolean {
  const flock = program("flock");
  if (flock !== undefined) {
    const { status, error } = spawnSync(flock, [how, "-n", "3"], {
      stdio: ["ignore", "ignore", "ignore", fd],
      env: {},
    });
    if (error === undefined && (status === 0 || status === 1)) return status === 0;
  }
  if (!/^\d+$/.test(holder) || Number(holder) === process.pid) return Number(holder) !== process.pid;
  try {
    process.kill(Number(holder), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
