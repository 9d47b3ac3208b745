/**
 * The LMDB environment of an earlier version's data folder. Loaded in the reader's process alone.
 */
import { chmodSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import { type Row, TABLES, type Table } from "../tables.js";
import { Sums, type Tally, unseal } from "./seals.js";

export interface Environment {
  readonly root: RootDatabase;
  readonly tables: ReadonlyMap<Table, Database<string, Buffer>>;
  /** One row, the tally, which does not count itself. */
  readonly tally: Database<string, Buffer>;
}

export const TALLY_KEY: Buffer = Buffer.from("tally");

/** Opens the file. If the machine has rebooted since, lmdb itself goes back to what was last flushed (`overlappingSync`). */
export function openEnvironment(path: string): Environment {
  const root = open({ path, noSubdir: true, maxDbs: TABLES.length + 2, separateFlushed: true });
  for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600);
  const table = (name: string): Database<string, Buffer> =>
    root.openDB<string, Buffer>({ name, keyEncoding: "binary", encoding: "string" });
  return { root, tables: new Map(TABLES.map((name) => [name, table(name)])), tally: table("tally") };
}

/**
 * Yields the intact rows of one table, and calls `damaged` for the others. With `transaction`, all rows are from one
 * snapshot.
 */
export function* readRows(
  environment: Environment,
  table: Table,
  damaged: (key: Buffer) => void,
  options: { readonly reverse?: boolean; readonly transaction?: ReturnType<RootDatabase["useReadTransaction"]> } = {},
): Generator<Row & { readonly sum: number }> {
  // The start is given explicitly: the default skips keys whose first byte is below 5.
  const ends = options.reverse ? { end: Buffer.from([0]) } : { start: Buffer.from([0]) };
  for (const { key, value } of environment.tables.get(table)?.getRange({ ...ends, ...options }) ?? []) {
    const copy = Buffer.from(key);
    const read = typeof value === "string" ? unseal(table, copy, value) : undefined;
    if (read) yield { key: copy, ...read };
    else damaged(copy);
  }
}

/** Reads the whole environment. Returns the sums, or says what is wrong with it. */
export function verify(
  environment: Environment,
  lastFlushed: number,
): { readonly sums: Sums; readonly tally: Tally } | string {
  const transaction = environment.root.useReadTransaction();
  try {
    const sums = new Sums();
    const problems: string[] = [];
    for (const table of TABLES) {
      const damaged = (key: Buffer): void =>
        void problems.push(`a row of "${table}" (${key.toString("hex").slice(0, 64)})`);
      for (const { key, sum } of readRows(environment, table, damaged, { transaction })) sums.note(table, key, sum);
    }
    if (problems.length > 0) return `${problems.length} row(s) fail their checksums, first: ${problems[0]}`;
    const text = environment.tally.get(TALLY_KEY, { transaction });
    const read = text === undefined ? undefined : unseal("meta", TALLY_KEY, text);
    const tally: Tally = read ? JSON.parse(read.body) : { n: 0, tables: {} };
    if (text !== undefined && !read) return "its tally fails its checksum";
    const found = sums.tally(tally.n);
    for (const table of TABLES) {
      const [rows, sum] = tally.tables[table] ?? [0, 0];
      const [seen, seenSum] = found.tables[table] ?? [0, 0];
      if (rows !== seen || sum !== seenSum)
        return `table "${table}" has ${seen} row(s) instead of ${rows}, or rows with other contents`;
    }
    if (tally.n < lastFlushed) return `it ends at write ${tally.n}, but write ${lastFlushed} was flushed`;
    return { sums, tally };
  } finally {
    transaction.done();
  }
}
