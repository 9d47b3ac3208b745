/** Ways of keeping a journal: this commit's and an earlier one's data folder, a bare program, SQLite. */
import { closeSync, fdatasync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { DatabaseSync } from "@photostructure/sqlite";
import { loadRequest } from "#dist/load/request.js";
import { partsOf } from "./build.js";
import { type Keeper, rowOf } from "./journal-work.js";

/** The data folder and journal of a build. */
export async function dataFolder(build: string, folder: string): Promise<Keeper> {
  const { openDataFolder, Journal } = await partsOf(build);
  const data = await openDataFolder(join(folder, "data"));
  const journal = new Journal(data.state);
  const interfaces = [{ id: 0, mac: "02:42:0a:01:00:02", ipv4: "10.1.0.2/16", ipv6: "" }];
  return {
    async put(n) {
      const { nid, eid, options } = loadRequest(n);
      const entry = { phase: "live", interfaces, options: JSON.stringify(options) } as const;
      await journal.settle({ key: { type: "load", nid, eid }, entry });
    },
    close: () => data.close(),
  };
}

/** Rows that come while a group is written make the next one. */
abstract class Grouped implements Keeper {
  #rows: { readonly key: string; readonly body: string }[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  put(n: number): Promise<void> {
    this.#rows.push(rowOf(n));
    this.#next ??= this.#group();
    return this.#next;
  }

  async #group(): Promise<void> {
    const before = this.#running;
    const mine = before.then(nextTurn).then(() => {
      const rows = this.#rows;
      this.#rows = [];
      this.#next = undefined;
      return this.write(rows);
    });
    this.#running = mine;
    await mine;
  }

  protected abstract write(rows: readonly { readonly key: string; readonly body: string }[]): Promise<void>;
  abstract close(): void;
}

/** One `write` and one `fdatasync` per group, into a file that is as long as it will get. */
export class Bare extends Grouped {
  static readonly #flush = promisify(fdatasync);
  readonly #fd: number;
  #at = 0;

  constructor(folder: string, bytes: number) {
    super();
    this.#fd = openSync(join(folder, "bare"), "w+", 0o600);
    const zeros = Buffer.alloc(1 << 20);
    for (let at = 0; at < bytes; at += zeros.length) writeSync(this.#fd, zeros, 0, zeros.length, at);
  }

  protected async write(rows: readonly { readonly key: string; readonly body: string }[]): Promise<void> {
    const bytes = Buffer.from(rows.map(({ key, body }) => key + body).join("\n"));
    this.#at += writeSync(this.#fd, bytes, 0, bytes.length, this.#at);
    await Bare.#flush(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** SQLite with a write-ahead log that is flushed with every transaction, one for each group. */
export class Sqlite extends Grouped {
  readonly #database: InstanceType<typeof DatabaseSync>;
  readonly #put: ReturnType<InstanceType<typeof DatabaseSync>["prepare"]>;

  constructor(folder: string) {
    super();
    this.#database = new DatabaseSync(join(folder, "journal.sqlite"));
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    this.#database.exec("CREATE TABLE journal (key TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID");
    this.#put = this.#database.prepare("INSERT OR REPLACE INTO journal VALUES (?, ?)");
  }

  protected async write(rows: readonly { readonly key: string; readonly body: string }[]): Promise<void> {
    this.#database.exec("BEGIN");
    for (const { key, body } of rows) this.#put.run(key, body);
    this.#database.exec("COMMIT");
  }

  close(): void {
    this.#database.close();
  }
}
