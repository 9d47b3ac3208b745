/**
 * The one LMDB environment. Loaded in the platform's process and in the reader's, never in a host process: native code does
 * not load under the permission flags.
 */
import { chmodSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import { type Row, Sums, TABLES, type Table, type Tally, unseal } from "./tables.js";

export interface Environment {
  readonly root: RootDatabase;
  readonly tables: ReadonlyMap<Table, Database<string, Buffer>>;
  /** One row, the tally: no part of what it counts. */
  readonly tally: Database<string, Buffer>;
}

export const TALLY_KEY: Buffer = Buffer.from("tally");

/**
 * Opens the file, made where there is none. `readOnly` for a look beside a running host: the latest state in memory is read.
 * Otherwise lmdb itself goes back to what was last flushed when the machine has started anew since (`overlappingSync`).
 */
export function openEnvironment(path: string, readOnly = false): Environment {
  const root = open({ path, noSubdir: true, maxDbs: TABLES.length + 2, readOnly, separateFlushed: true });
  if (!readOnly) for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600);
  const table = (name: string): Database<string, Buffer> =>
    root.openDB<string, Buffer>({ name, keyEncoding: "binary", encoding: "string" });
  return { root, tables: new Map(TABLES.map((name) => [name, table(name)])), tally: table("tally") };
}

/** The rows of one table that are as they were written; `damaged` is told of the others. All of one moment with `transaction`. */
export function* readRows(
  environment: Environment,
  table: Table,
  damaged: (key: Buffer) => void,
  options: { readonly reverse?: boolean; readonly transaction?: ReturnType<RootDatabase["useReadTransaction"]> } = {},
): Generator<Row & { readonly sum: number }> {
  // The beginning is named: by default, keys below the fifth byte are passed over.
  const ends = options.reverse ? { end: Buffer.from([0]) } : { start: Buffer.from([0]) };
  for (const { key, value } of environment.tables.get(table)?.getRange({ ...ends, ...options }) ?? []) {
    const copy = Buffer.from(key);
    const read = typeof value === "string" ? unseal(table, copy, value) : undefined;
    if (read) yield { key: copy, ...read };
    else damaged(copy);
  }
}

/** Reads all of it. Returns the sums, or says what is wrong with it. */
export function verify(
  environment: Environment,
  witnessed: number,
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
    if (problems.length > 0) return `${problems.length} row(s) are not what was written, first: ${problems[0]}`;
    const text = environment.tally.get(TALLY_KEY, { transaction });
    const read = text === undefined ? undefined : unseal("meta", TALLY_KEY, text);
    const tally: Tally = read ? JSON.parse(read.body) : { n: 0, tables: {} };
    if (text !== undefined && !read) return "its tally is not what was written";
    const found = sums.tally(tally.n);
    for (const table of TABLES) {
      const [rows, sum] = tally.tables[table] ?? [0, 0];
      const [seen, seenSum] = found.tables[table] ?? [0, 0];
      if (rows !== seen || sum !== seenSum)
        return `"${table}" should hold ${rows} row(s), and ${seen} were found, or others`;
    }
    if (tally.n < witnessed) return `it ends at write ${tally.n}, and write ${witnessed} was flushed`;
    return { sums, tally };
  } finally {
    transaction.done();
  }
}
