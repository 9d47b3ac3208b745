/** Decides whether there is room for something new, and says when there is not. */
import { storageFull } from "./errors.js";
import { DATA } from "./limits.js";
import type { Disk } from "./log/disk.js";
import type { LogWriter } from "./log/log-writer.js";
import type { Problems } from "./problems.js";

export class Room {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #problems: Problems;
  #full: Error | undefined;
  #askedAt = 0;

  constructor(folder: string, disk: Disk, problems: Problems) {
    this.#folder = folder;
    this.#disk = disk;
    this.#problems = problems;
  }

  /** Throws `ERR_STORAGE_FULL` if `bytes` more in the log would use the reserve. `rows`: bytes of all current rows. */
  admit(log: LogWriter, bytes: number, rows: number): void {
    if (log.room < DATA.reserveBytes + bytes) this.#make(log, bytes, rows);
    if (!this.#full) return;
    this.#full = undefined;
    this.#problems.end("full");
  }

  /** Records that the disk is full; returns the error. */
  full(rows: number, cause: unknown): Error {
    this.#full = storageFull(this.#folder, this.free ?? 0, needed(rows), cause);
    this.#problems.begin("full", this.#full);
    return this.#full;
  }

  /** True for the error that `full` or `admit` gave last. */
  isFull(error: unknown): boolean {
    return error !== undefined && error === this.#full;
  }

  /** Allocates the log's next bytes. A disk that was full is asked again after `DATA.fullMs`. */
  #make(log: LogWriter, bytes: number, rows: number): void {
    const now = performance.now();
    if (this.#full && now - this.#askedAt < DATA.fullMs) throw this.#full;
    try {
      // With less than that, no checkpoint could replace the log when rows are deleted.
      if (this.#disk.free() < needed(rows) + bytes) throw new Error("the next generation would have no room");
      log.ensure(bytes);
    } catch (error) {
      this.#askedAt = now;
      throw this.full(rows, error);
    }
  }

  /** Bytes that may still be written to the folder's file system; undefined if it does not say. */
  get free(): number | undefined {
    try {
      return this.#disk.free();
    } catch {
      return undefined;
    }
  }
}

/** Bytes that must be free before the log grows: for that, and for a generation that replaces it. */
function needed(rows: number): number {
  return 3 * DATA.stepBytes + Math.ceil(1.2 * rows);
}
