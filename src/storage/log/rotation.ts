/** Starts a new generation of the log when the current one has grown, and replaces earlier ones with a checkpoint. */
import { DATA } from "../limits.js";
import { writeCheckpoint } from "./checkpoint.js";
import type { Disk, DiskFile } from "./disk.js";
import { encodeFrame } from "./frame.js";
import { LogWriter } from "./log-writer.js";
import type { RowIndex } from "./row-index.js";

export interface RotationEvents {
  /** Called after each checkpoint. */
  replaced(): void;
  /** Called when no new log could be begun, or no checkpoint written; both are tried again. */
  failed(error: unknown): void;
}

export class Rotation {
  readonly #disk: Disk;
  readonly #index: RowIndex;
  readonly #events: RotationEvents;
  /** Files of earlier generations that still hold rows. */
  #earlier: readonly DiskFile[];
  /** Earlier logs whose last frames are not flushed yet. */
  #unflushed: DiskFile[] = [];
  #flushing: Promise<void> | undefined;
  #checkpoint: Promise<void> | undefined;
  /** Earliest retry after a failed rotation, on the monotonic clock. */
  #retryAt = 0;
  #closing = false;
  /** Whether the file system has room for logs of full length, and when to ask again. */
  #hasRoom = false;
  #askAt = Number.NEGATIVE_INFINITY;

  constructor(disk: Disk, index: RowIndex, earlier: readonly DiskFile[], events: RotationEvents) {
    this.#disk = disk;
    this.#index = index;
    this.#earlier = earlier;
    this.#events = events;
  }

  /** Flushes earlier logs, before any later write is acknowledged. Returns undefined if they are flushed. */
  flushEarlier(): Promise<void> | undefined {
    if (this.#unflushed.length > 0) this.#flushing ??= this.#flush();
    return this.#flushing;
  }

  /** Keeps a failed flush failed: the next fsync would report success although the bytes are lost. */
  async #flush(): Promise<void> {
    const files = [...this.#unflushed];
    for (const file of files) await file.flush();
    await this.#disk.flushFolder();
    this.#unflushed = this.#unflushed.filter((file) => !files.includes(file));
    this.#flushing = undefined;
  }

  /**
   * Returns the log for further writes: the same one, or the next generation's if a rotation is due and succeeds. `n`: the number of
   * the last write.
   */
  turn(log: LogWriter, n: number): LogWriter {
    if (!this.due(log)) return log;
    let next: LogWriter | undefined;
    try {
      next = LogWriter.create(this.#disk, log.generation + 1);
      log.append(encodeFrame([], n, log.flushed, log.seed));
    } catch (error) {
      next?.file.close();
      if (next) this.#disk.remove(next.file.name);
      this.#retryAt = performance.now() + DATA.retryMs;
      this.#events.failed(error);
      return log;
    }
    this.#unflushed.push(log.file);
    this.#earlier = [...this.#earlier, log.file];
    this.#checkpoint = this.#replaceEarlier(next.generation, n).finally(() => {
      this.#checkpoint = undefined;
    });
    return next;
  }

  /** True if a rotation is due. */
  due(log: LogWriter): boolean {
    if (this.#closing || this.#checkpoint || log.used < DATA.rotateBytesSmall) return false;
    return performance.now() >= this.#retryAt && log.used >= this.#limit();
  }

  /** Starts no further rotation. */
  stop(): void {
    this.#closing = true;
  }

  /** Resolves when no checkpoint is being written. */
  async idle(): Promise<void> {
    await this.#checkpoint;
  }

  close(): void {
    for (const file of this.#earlier) file.close();
  }

  #limit(): number {
    const most = this.#roomy() ? DATA.rotateBytes : DATA.rotateBytesSmall;
    return Math.max(most, 2 * this.#index.bytes);
  }

  /** Asks the file system at intervals: every write comes here. */
  #roomy(): boolean {
    const now = performance.now();
    if (now < this.#askAt) return this.#hasRoom;
    this.#askAt = now + DATA.fullMs;
    try {
      this.#hasRoom = this.#disk.free() >= DATA.roomyBytes;
    } catch {
      this.#hasRoom = false;
    }
    return this.#hasRoom;
  }

  async #replaceEarlier(generation: number, n: number): Promise<void> {
    const replaced = this.#earlier;
    const rows = this.#index.all();
    try {
      await this.flushEarlier();
      const { file, moves } = await writeCheckpoint(this.#disk, generation, n, rows);
      for (const { row, to } of moves) this.#index.move(row, to);
      this.#earlier = [file, ...this.#earlier.filter((one) => !replaced.includes(one))];
      for (const one of replaced) {
        one.close();
        this.#disk.remove(one.name);
      }
      this.#events.replaced();
    } catch (error) {
      // The earlier generations are kept, and read at the next opening; the next rotation retries.
      this.#retryAt = performance.now() + DATA.retryMs;
      this.#events.failed(error);
    }
  }
}
