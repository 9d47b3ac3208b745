/**
 * The state file while a host runs: a log of writes, and an index of where it holds each row's current value. A write has one of
 * two strengths:
 * - `log`: when `commit` returns, it outlives this process; the end of the turn commits what nothing else has committed;
 * - `put`: when its promise resolves, it is flushed and survives a power cut. Writes that come during a flush share the next one.
 * Both are in the same order on the disk. A write that the disk refuses ends all writing: what follows it would be lost silently. A
 * write that finds no room on the disk is tried again with the next one.
 */
import { rmSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { within } from "../common/within.js";
import { folderClosed, notTaken } from "./errors.js";
import { type FlushGroup, newGroup } from "./flush-group.js";
import type { LastFlush } from "./last-flush.js";
import { DATA } from "./limits.js";
import { type Disk, openDisk } from "./log/disk.js";
import { encodeFrame } from "./log/frame.js";
import { type LogWriter, NoRoom } from "./log/log-writer.js";
import { Rotation } from "./log/rotation.js";
import { type RowIndex, readBodies, readRows, textAt } from "./log/row-index.js";
import { type OpenedLog, openLog } from "./open-log.js";
import type { StatePaths } from "./paths.js";
import { PendingWrites } from "./pending-writes.js";
import { Problems } from "./problems.js";
import { Room } from "./room.js";
import type { StorageStatus } from "./status.js";
import type { Row, Table, Write } from "./tables.js";

export class StateFile {
  /** What goes wrong while it is open. */
  readonly problems: Problems = new Problems();
  readonly #flushes = { count: 0, ms: 0, lastMs: 0 };
  readonly #paths: StatePaths;
  readonly #disk: Disk;
  readonly #index: RowIndex;
  readonly #lastFlush: LastFlush;
  readonly #rotation: Rotation;
  readonly #room: Room;
  #log: LogWriter;
  readonly #pending: PendingWrites;
  /** Callers whose writes no flush includes yet. */
  #waiting: FlushGroup | undefined;
  #flushing: Promise<void> | undefined;
  #committing = false;
  #failure: Error | undefined;
  /** Why writes are refused from the close on. */
  #closing: Error | undefined;
  #closed: Promise<void> | undefined;

  private constructor(paths: StatePaths, disk: Disk, { index, lastFlush, log, files, n }: OpenedLog) {
    this.#paths = paths;
    this.#disk = disk;
    this.#index = index;
    this.#log = log;
    this.#pending = new PendingWrites(n, index);
    this.#lastFlush = lastFlush;
    this.#room = new Room(paths.folder, disk, this.problems);
    this.#rotation = new Rotation(disk, index, files, {
      replaced: () => {
        this.problems.end("checkpoint");
        rmSync(paths.aside, { recursive: true, force: true });
      },
      failed: (error) => this.problems.begin("checkpoint", error),
    });
  }

  /**
   * Opens the log, and creates it if the folder has none. `bootId`: of the machine's current boot.
   * Throws `ERR_JOURNAL_CORRUPT`, or what the disk reports.
   */
  static async open(paths: StatePaths, bootId: string, disk: Disk = openDisk(paths.folder)): Promise<StateFile> {
    return new StateFile(paths, disk, await openLog(disk, bootId));
  }

  /**
   * Throws `ERR_STORAGE_FULL` if `bytes` more would use the reserve, which is for deletions, leaves and the close. Called before
   * anything new is sent to a driver or stored; deletions and leaves are always written.
   */
  admit(bytes: number): void {
    const wanted = bytes + this.#pending.bytes + DATA.groupBytes;
    this.#room.admit(this.#log, wanted, this.#index.bytes);
  }

  /** Writes a row; resolves when flushed. Rejects with `ERR_JOURNAL_FAILED`. `body` undefined: removes the row. */
  put(table: Table, key: Buffer | string, body: string | undefined): Promise<void> {
    return this.putAll([{ table, key, body }]);
  }

  /** Writes rows in one frame; resolves when flushed. Rejects with `ERR_JOURNAL_FAILED`. */
  putAll(writes: readonly Write[]): Promise<void> {
    const refusal = this.#failure ?? this.#closing;
    if (refusal) return Promise.reject(refusal);
    // Skips the removal of rows that do not exist: on a full disk, refused calls would use up the reserve.
    for (const write of writes) if (write.body !== undefined || this.#pending.holds(write)) this.#pending.add(write);
    this.#waiting ??= newGroup();
    this.#flushing ??= this.#flush();
    return this.#waiting.done;
  }

  /** Logs all of the writes, or none. Throws `ERR_JOURNAL_FAILED`. */
  log(writes: readonly Write[]): void {
    const refusal = this.#failure ?? this.#closing;
    if (refusal) throw refusal;
    for (const write of writes) this.#pending.add(write);
    if (this.#committing) return;
    this.#committing = true;
    setImmediate(() => {
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
    if (this.#pending.isEmpty) return;
    const { file, used, flushed, seed } = this.#log;
    const placed: number[] = [];
    const frame = encodeFrame(this.#pending.writes, this.#pending.n, flushed, seed, placed);
    try {
      this.#log.append(frame);
    } catch (error) {
      // Even the reserve is used up. Nothing is lost: the writes stay pending, in order, for when there is room.
      if (error instanceof NoRoom) throw this.#room.full(this.#index.bytes, error.cause);
      throw this.#fail(error);
    }
    for (const [n, { table, key, body }] of this.#pending.take().entries()) {
      const [at, bytes] = [placed[2 * n] as number, placed[2 * n + 1] as number];
      this.#index.set(table, key, body === undefined ? undefined : { file, at: used + at, bytes });
    }
    // Logged writes are not flushed, but a rotation may be due, and a flush performs it.
    if (this.#rotation.due(this.#log)) this.#flushing ??= this.#flush();
  }

  /** Returns the current rows of a table whose keys begin with `prefix`, in no particular order. */
  async rows(table: Table, prefix: Buffer = Buffer.alloc(0)): Promise<readonly Row[]> {
    this.commit();
    const start = prefix.toString("latin1");
    return readRows([...this.#index.of(table)].filter(([key]) => key.startsWith(start)));
  }

  /**
   * Returns the rows of a table one by one, keys in latin1, so that a large table need not be in memory whole. For use within a turn, since a
   * checkpoint closes files.
   */
  eachRow(table: Table): Iterable<readonly [key: string, body: string]> {
    this.commit();
    return readBodies([...this.#index.of(table)]);
  }

  /** Returns the keys of a table's rows, in latin1. */
  keys(table: Table): Iterable<string> {
    this.commit();
    return this.#index.of(table).keys();
  }

  /** True if the row exists. */
  has(table: Table, key: Buffer): boolean {
    this.commit();
    return this.#index.of(table).has(key.toString("latin1"));
  }

  /** The data folder, for messages. */
  get folder(): string {
    return this.#paths.folder;
  }

  /** Returns one row's value. */
  get(table: Table, key: Buffer): string | undefined {
    this.commit();
    const place = this.#index.of(table).get(key.toString("latin1"));
    return place && textAt(place);
  }

  /** Asks the file system, so it is for operators, not for every write. */
  status(): StorageStatus {
    return {
      flushes: { ...this.#flushes },
      logBytes: this.#log.used,
      rowBytes: this.#index.bytes,
      reserveBytes: Math.min(this.#log.room, DATA.reserveBytes),
      freeBytes: this.#room.free,
    };
  }

  /**
   * Refuses further writes, flushes and closes. A disk that hangs does not delay it for longer than `DATA.closeMs`; the files are closed
   * once nothing uses them.
   */
  async close(): Promise<void> {
    this.#closing ??= folderClosed(this.#paths.folder);
    this.#rotation.stop();
    this.#closed ??= this.#settled();
    await within(DATA.closeMs, this.#closed);
    // The caller releases the lock next, so a flush that finishes late must not write anything.
    this.#failure ??= this.#closing;
  }

  async #settled(): Promise<void> {
    while (this.#flushing) await this.#flushing;
    try {
      this.commit();
      await this.#rotation.flushEarlier();
      await this.#log.file.flush();
    } catch {
      // Only logged writes are left, which no caller awaits; they may be lost.
    }
    await this.#rotation.idle();
    this.#rotation.close();
    this.#log.file.close();
    this.#lastFlush.close();
  }

  /** Flushes once, and then until no caller waits. The first flush includes what this turn of the event loop still adds. */
  async #flush(): Promise<void> {
    await nextTurn();
    do {
      const group = this.#waiting;
      this.#waiting = undefined;
      try {
        this.commit();
        const [log, end, n] = [this.#log, this.#log.used, this.#pending.n];
        const began = performance.now();
        await this.#rotation.flushEarlier();
        await log.file.flush();
        this.#flushed(performance.now() - began);
        if (this.#failure) throw this.#failure;
        log.file.assertInPlace();
        log.flushed = end;
        this.#lastFlush.write(n);
        group?.resolve();
        this.commit();
        this.#log = this.#rotation.turn(this.#log, this.#pending.n);
      } catch (error) {
        const failure = this.#room.isFull(error) ? error : this.#fail(error);
        group?.reject(failure);
        this.#refuseWaiting(failure);
      }
    } while (this.#waiting);
    this.#flushing = undefined;
  }

  #flushed(ms: number): void {
    this.#flushes.count++;
    this.#flushes.ms += ms;
    this.#flushes.lastMs = ms;
  }

  #refuseWaiting(failure: unknown): void {
    this.#waiting?.reject(failure);
    this.#waiting = undefined;
  }

  #fail(cause: unknown): Error {
    if (!this.#failure) {
      this.#failure = notTaken(this.#disk.path(this.#log.file.name), cause);
      if (!this.#closing) this.problems.begin("failed", this.#failure);
    }
    return this.#failure;
  }
}
