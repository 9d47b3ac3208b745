/**
 * The state file while a host runs: a log of writes, and an index of where it holds each row's current value. A write has one of
 * two strengths:
 * - `log`: when `commit` returns, it outlives this process; a microtask commits what nothing else has committed;
 * - `put`: when its promise resolves, it is flushed and survives a power cut. Writes that come during a flush share the next one.
 * Both are in the same order on the disk. A write that the disk refuses ends all writing: what follows it would be lost silently.
 */
import { rmSync } from "node:fs";
import { within } from "../common/within.js";
import { corrupt, notTaken, storageFull } from "./errors.js";
import { LastFlush, readLastFlush } from "./last-flush.js";
import { DATA } from "./limits.js";
import { type Disk, type DiskFile, openDisk } from "./log/disk.js";
import { encodeFrame } from "./log/frame.js";
import { LogWriter } from "./log/log-writer.js";
import { replay } from "./log/replay.js";
import { Rotation } from "./log/rotation.js";
import { type Location, type RowIndex, readRows, textAt } from "./log/row-index.js";
import type { StatePaths } from "./paths.js";
import type { Row, Table, Write } from "./tables.js";

/** Key of the boot id under which the file was last written. */
export const BOOT_KEY: Buffer = Buffer.from("boot");

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class StateFile {
  readonly #paths: StatePaths;
  readonly #disk: Disk;
  readonly #index: RowIndex;
  readonly #lastFlush: LastFlush;
  readonly #rotation: Rotation;
  #log: LogWriter;
  #n: number;
  /** Writes that are not in the log yet. */
  #pending: Write[] = [];
  /** Callers whose writes are not flushed yet. */
  #waiters: Waiter[] = [];
  #flushing: Promise<void> | undefined;
  #committing = false;
  #failure: Error | undefined;
  #fullAt = Number.NEGATIVE_INFINITY;

  private constructor(
    paths: StatePaths,
    disk: Disk,
    index: RowIndex,
    lastFlush: LastFlush,
    log: LogWriter,
    files: readonly DiskFile[],
    n: number,
  ) {
    this.#paths = paths;
    this.#disk = disk;
    this.#index = index;
    this.#log = log;
    this.#n = n;
    this.#lastFlush = lastFlush;
    this.#rotation = new Rotation(disk, index, files, () => rmSync(paths.aside, { recursive: true, force: true }));
  }

  /**
   * Opens the log, and creates it if the folder has none. `bootId`: of the machine's current boot.
   * Throws `ERR_JOURNAL_CORRUPT`, or what the disk reports.
   */
  static async open(paths: StatePaths, bootId: string, disk: Disk = openDisk(paths.folder)): Promise<StateFile> {
    const { index, n, first, last, files, gap, stale } = replay(disk);
    try {
      const witnessed = readLastFlush(disk);
      const path = disk.path(last?.file.name ?? "log.000001");
      if (n < witnessed)
        throw corrupt(path, last ? `it ends at write ${n}, and write ${witnessed} was flushed` : "it is gone");
      const boot = index.of("meta").get(BOOT_KEY.toString("latin1"));
      const sameBoot = boot !== undefined && textAt(boot) === JSON.stringify(bootId);
      if (gap !== undefined && sameBoot) throw corrupt(path, `at offset ${gap} it does not hold what was written`);
      for (const name of stale) disk.remove(name);
      const log = last ? new LogWriter(last.generation, last.file, last.end) : LogWriter.create(disk, first);
      log.clearRest();
      await log.file.flush();
      log.flushed = log.used;
      const lastFlush = new LastFlush(disk);
      if (!last) await disk.flushFolder();
      return new StateFile(paths, disk, index, lastFlush, log, files, n);
    } catch (error) {
      for (const file of [...files, ...(last ? [last.file] : [])]) file.close();
      throw error;
    }
  }

  /**
   * Throws `ERR_STORAGE_FULL` if the room left is reserved for what has begun. Called before anything new is sent to a driver or
   * stored; deletions and leaves are always written.
   */
  admit(): void {
    if (this.#log.room >= DATA.reserveBytes + DATA.groupBytes) return;
    const now = performance.now();
    if (now - this.#fullAt < DATA.fullMs) throw this.#full();
    try {
      // With less than that, no checkpoint could replace the log when rows are deleted.
      if (this.#disk.free() < this.#needed()) throw new Error("the next generation would have no room");
      this.#log.ensure(DATA.groupBytes);
    } catch {
      this.#fullAt = now;
      throw this.#full();
    }
  }

  /** Writes a row; resolves when flushed. Rejects with `ERR_JOURNAL_FAILED`. `body` undefined: removes the row. */
  put(table: Table, key: Buffer, body: string | undefined): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#write({ table, key, body });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Logs all of the writes, or none. Throws `ERR_JOURNAL_FAILED`. */
  log(writes: readonly Write[]): void {
    if (this.#failure) throw this.#failure;
    for (const write of writes) this.#write(write);
    if (this.#committing) return;
    this.#committing = true;
    queueMicrotask(() => {
      this.#committing = false;
      try {
        this.commit();
      } catch {
        // The next write reports it.
      }
    });
  }

  /** Commits what was logged: it outlives the process when this returns. Throws `ERR_JOURNAL_FAILED`. */
  commit(): void {
    if (this.#failure) throw this.#failure;
    if (this.#pending.length === 0) return;
    const { file, used, flushed } = this.#log;
    const places: (readonly [Write, Location | undefined])[] = [];
    const frame = encodeFrame(this.#pending, this.#n, flushed, (at, bytes, write) =>
      places.push([write, write.body === undefined ? undefined : { file, at: used + at, bytes }]),
    );
    try {
      this.#log.append(frame);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#pending = [];
    for (const [{ table, key }, place] of places) this.#index.set(table, key.toString("latin1"), place);
  }

  /** Returns the current rows of a table, in no particular order. */
  async rows(table: Table): Promise<readonly Row[]> {
    this.commit();
    return readRows([...this.#index.of(table)]);
  }

  /** Returns one row's value. */
  get(table: Table, key: Buffer): string | undefined {
    this.commit();
    const place = this.#index.of(table).get(key.toString("latin1"));
    return place && textAt(place);
  }

  /** Flushes and closes. A disk that hangs does not delay it for longer than `DATA.closeMs`. */
  async close(): Promise<void> {
    await within(DATA.closeMs, this.#settled());
    this.#failure ??= notTaken(this.#paths.folder, new Error("the host has closed it"));
    this.#rotation.close();
    this.#log.file.close();
    this.#lastFlush.close();
  }

  async #settled(): Promise<void> {
    while (this.#flushing) await this.#flushing;
    if (this.#failure) return;
    try {
      this.commit();
      await this.#rotation.flushEarlier();
      await this.#log.file.flush();
    } catch {
      // No caller waits for writes that were only logged; the next opening reports what is missing.
    }
    await this.#rotation.idle();
  }

  #write(write: Write): void {
    this.#n++;
    this.#pending.push(write);
  }

  /** Flushes until no caller waits. The first flush includes what this turn's microtasks still add. */
  async #flush(): Promise<void> {
    await undefined;
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        this.commit();
        const [log, end, n] = [this.#log, this.#log.used, this.#n];
        await this.#rotation.flushEarlier();
        await log.file.flush();
        log.file.assertInPlace();
        log.flushed = end;
        this.#lastFlush.write(n);
        for (const { resolve } of waiters) resolve();
        this.commit();
        this.#log = this.#rotation.turn(this.#log, this.#n);
      } catch (error) {
        const failure = this.#fail(error);
        for (const { reject } of [...waiters, ...this.#waiters]) reject(failure);
        this.#waiters = [];
      }
    }
    this.#flushing = undefined;
  }

  #full(): Error {
    return storageFull(this.#paths.folder, this.#disk.free(), this.#needed());
  }

  /** Bytes that must be free before the log grows: for that, and for a generation that replaces it. */
  #needed(): number {
    return 3 * DATA.stepBytes + Math.ceil(1.2 * this.#index.bytes);
  }

  #fail(cause: unknown): Error {
    this.#failure ??= notTaken(this.#disk.path(this.#log.file.name), cause);
    return this.#failure;
  }
}
