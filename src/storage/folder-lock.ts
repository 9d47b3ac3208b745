/**
 * Locks a data folder for one host with the system's `flock` command, on a descriptor that this process keeps: the lock ends with
 * the process and holds across PID namespaces. Without `flock`, the PID in the file is checked instead.
 */
import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { DriverError } from "../driverapi/errors.js";
import { program } from "../permissions/netlink/kernel/programs.js";
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
    if (!fstatSync(fd).isFile()) throw new Error(`${lock} is not a file; remove it`);
    const holder = readFileSync(lock, "latin1").trim();
    if (!take(fd, holder)) {
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
      ftruncateSync(fd, 0);
      closeSync(fd);
    },
  };
}

/**
 * Returns true if another process holds the lock of a folder in which this process cannot write, or if that cannot be found out.
 */
export function isLocked({ lock }: StatePaths): boolean {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  let fd: number | undefined;
  try {
    fd = openSync(lock, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    return fstatSync(fd).isFile() && !take(fd, readFileSync(fd, "latin1").trim());
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function take(fd: number, holder: string): boolean {
  const flock = program("flock");
  if (flock !== undefined) {
    const { status, error } = spawnSync(flock, ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd], env: {} });
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
