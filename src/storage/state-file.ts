/**
 * The state file while a host runs. `log` and `commit` make a write that outlives this process, `put` one that survives a reboot
 * (README.md here, "Two strengths of a write").
 */
import { type Environment, openEnvironment, readRows, TALLY_KEY, verify } from "./environment.js";
import { corrupt, notTaken } from "./errors.js";
import { LastFlush, readLastFlush } from "./last-flush.js";
import type { StatePaths } from "./paths.js";
import { RedoLog, readRedoLog, type Write } from "./redo-log.js";
import { checksum, type Row, type Sums, seal, type Table } from "./tables.js";

interface Batch {
  /** The number of its last write. */
  n: number;
  readonly flushed: Promise<void>;
}

export class StateFile {
  readonly #paths: StatePaths;
  readonly #environment: Environment;
  readonly #sums: Sums;
  readonly #lastFlush: LastFlush;
  readonly #redoLog: RedoLog;
  #n: number;
  /** Writes of this turn of the loop. */
  #batch: Batch | undefined;
  #last: Promise<void> = Promise.resolve();
  #committing = false;
  #failure: Error | undefined;

  private constructor(paths: StatePaths, environment: Environment, sums: Sums, n: number) {
    this.#paths = paths;
    this.#environment = environment;
    this.#sums = sums;
    this.#n = n;
    this.#lastFlush = new LastFlush(paths.lastFlush);
    this.#redoLog = new RedoLog(paths.redo);
    environment.root.on("beforecommit", () => this.#seal());
  }

  /**
   * Opens a state file that has been checked, and applies what an earlier process could not. `bootId`: of the machine's
   * current boot.
   */
  static async open(paths: StatePaths, bootId: string): Promise<StateFile> {
    const environment = openEnvironment(paths.state);
    try {
      const read = verify(environment, readLastFlush(paths.lastFlush));
      if (typeof read === "string") throw corrupt(paths.state, read);
      const boot = environment.tables.get("meta")?.get(BOOT_KEY);
      const sameBoot = boot === undefined || boot.slice(8) === JSON.stringify(bootId);
      const { n } = read.tally;
      const lines = readRedoLog(paths.redo, n, sameBoot);
      const { sums } = read;
      let last = n;
      const puts: Promise<boolean>[] = [];
      for (const line of lines) {
        for (const write of line.writes) puts.push(apply(environment, sums, write));
        last = line.n;
      }
      if (lines.length > 0) {
        // The redo log is emptied next.
        puts.push(environment.tally.put(TALLY_KEY, tallyText(sums, last)));
        await Promise.all(puts);
        await environment.root.flushed;
      }
      return new StateFile(paths, environment, sums, last);
    } catch (error) {
      await environment.root.close();
      throw error;
    }
  }

  /** Writes a row; resolves when flushed. Rejects with `ERR_JOURNAL_FAILED`. `body` undefined: removes the row. */
  put(table: Table, key: Buffer, body: string | undefined): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return this.#write({ table, key, body });
  }

  /** Logs all of the writes, or none. Throws `ERR_JOURNAL_FAILED`. */
  log(writes: readonly Write[]): void {
    if (this.#failure) throw this.#failure;
    for (const write of writes) void this.#write(write);
    this.#redoLog.append({ n: this.#n, writes });
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
    try {
      this.#redoLog.flush();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Returns the current rows of a table. Throws `ERR_JOURNAL_CORRUPT`. */
  async rows(table: Table): Promise<readonly Row[]> {
    await this.#last;
    return [
      ...readRows(this.#environment, table, (key) => {
        throw corrupt(this.#paths.state, `a row of "${table}" (${key.toString("hex").slice(0, 64)})`);
      }),
    ];
  }

  /** Flushes and closes. */
  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#environment.root.close();
    this.#lastFlush.close();
    this.#redoLog.close();
  }

  #write(write: Write): Promise<void> {
    this.#n++;
    const written = apply(this.#environment, this.#sums, write);
    this.#batch ??= this.#begin(written);
    return this.#batch.flushed;
  }

  #begin(written: Promise<boolean>): Batch {
    const batch: Batch = { n: 0, flushed: this.#flushed(written, () => batch.n) };
    this.#last = batch.flushed;
    // A caller that only logs does not wait for the flush; the next write reports a failure.
    this.#last.catch(() => {});
    return batch;
  }

  async #flushed(written: Promise<boolean>, n: () => number): Promise<void> {
    try {
      await written;
      await (written as Promise<boolean> & { readonly flushed: Promise<unknown> }).flushed;
      this.#lastFlush.write(n());
      this.#redoLog.truncate(n());
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Called last before a batch goes to lmdb's thread: adds its tally to it. */
  #seal(): void {
    const batch = this.#batch;
    if (!batch) return;
    this.#batch = undefined;
    batch.n = this.#n;
    void this.#environment.tally.put(TALLY_KEY, tallyText(this.#sums, this.#n)).catch(() => {});
  }

  #fail(cause: unknown): Error {
    this.#failure ??= notTaken(this.#paths.state, cause);
    return this.#failure;
  }
}

/** Key of the boot id of the machine's run that last wrote the file. */
export const BOOT_KEY: Buffer = Buffer.from("boot");

function apply({ tables }: Environment, sums: Sums, { table, key, body }: Write): Promise<boolean> {
  const sum = body === undefined ? undefined : checksum(table, key, body);
  sums.note(table, key, sum);
  const database = tables.get(table);
  if (!database) throw new Error(`no table ${table}`);
  return body === undefined ? database.remove(key) : database.put(key, seal(sum ?? 0, body));
}

function tallyText(sums: Sums, n: number): string {
  const body = JSON.stringify(sums.tally(n));
  return seal(checksum("meta", TALLY_KEY, body), body);
}
