/**
 * Writes one generation of the log. The file is allocated ahead of what is written, so that a disk that fills up leaves room for
 * what must still be written: the last `DATA.reserveBytes` bytes are for deletions, leaves and the close.
 */
import { DATA } from "../limits.js";
import type { Disk, DiskFile } from "./disk.js";
import { HEAD_BYTES, headOf, nameOf, newSalt, seedOf } from "./names.js";

const ZEROS = Buffer.alloc(DATA.stepBytes);

/** The disk is full, and so is the reserve. `cause`: what the disk reports. */
export class NoRoom extends Error {
  override readonly name: string = "NoRoom";
}

export class LogWriter {
  readonly generation: number;
  readonly file: DiskFile;
  /** Seed of its frames' checksums. */
  readonly seed: number;
  /** The offset behind the last frame. */
  used: number;
  /** The offset up to which everything has been flushed. */
  flushed: number;

  constructor(generation: number, file: DiskFile, seed: number, used: number) {
    this.generation = generation;
    this.file = file;
    this.seed = seed;
    this.used = used;
    this.flushed = used;
  }

  /** Creates a generation's file, with room for its first frames and the reserve. Leaves nothing behind if it throws. */
  static create(disk: Disk, generation: number): LogWriter {
    const name = nameOf("log", generation);
    const file = disk.open(name, "create");
    try {
      const salt = newSalt();
      file.write(headOf("log", generation, salt), 0);
      const log = new LogWriter(generation, file, seedOf(salt), HEAD_BYTES);
      log.flushed = 0;
      while (log.room < DATA.stepBytes + DATA.reserveBytes) log.#grow();
      return log;
    } catch (error) {
      file.close();
      disk.remove(name);
      throw error;
    }
  }

  /** Allocated bytes behind the last frame. */
  get room(): number {
    return this.file.size - this.used;
  }

  /** Allocates until `bytes` fit without touching the reserve. Throws what the disk reports. */
  ensure(bytes: number): void {
    while (this.room < bytes + DATA.reserveBytes) this.#grow();
  }

  /**
   * Appends a frame, from the reserve if the disk is full. Returns its offset. Throws `NoRoom`, with nothing written, or what the disk
   * reports.
   */
  append(frame: Uint8Array): number {
    try {
      this.ensure(frame.length);
    } catch (error) {
      if (this.room < frame.length) throw new NoRoom("there is no room for a frame", { cause: error });
    }
    const at = this.used;
    this.file.write(frame, at);
    this.used += frame.length;
    return at;
  }

  /** Overwrites everything after the last frame, so that no reader finds part of an older one. */
  clearRest(): void {
    for (let at = this.used; at < this.file.size; at += DATA.stepBytes) {
      const rest = this.file.read(at, DATA.stepBytes);
      if (!rest.equals(ZEROS.subarray(0, rest.length))) this.file.write(ZEROS.subarray(0, rest.length), at);
    }
  }

  #grow(): void {
    this.file.write(ZEROS, this.file.size);
  }
}
