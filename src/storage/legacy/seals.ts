/** The checksums of a state file of lmdb's, which reveal damage to it. */
import { crc32 } from "node:zlib";
import { TABLES, type Table } from "../tables.js";

/** Computes a row's checksum over table, key and body: a row in the wrong place is as damaged as a changed one. */
export function checksum(table: Table, key: Uint8Array, body: string): number {
  return crc32(body, crc32(key, crc32(table)));
}

/** Returns a body as it is stored, after eight hex digits. */
export function seal(sum: number, body: string): string {
  return sum.toString(16).padStart(8, "0") + body;
}

/** Returns the body of a stored text; undefined if it is not what was written. */
export function unseal(
  table: Table,
  key: Uint8Array,
  text: string,
): { readonly body: string; readonly sum: number } | undefined {
  const body = text.slice(8);
  const sum = checksum(table, key, body);
  return text.slice(0, 8) === sum.toString(16).padStart(8, "0") ? { body, sum } : undefined;
}

/**
 * Expected contents, written with every transaction: rows vanish without a trace when a page that points to them is damaged.
 * `n` counts writes; each table has its number of rows and the XOR of their checksums.
 */
export interface Tally {
  readonly n: number;
  readonly tables: Readonly<Record<string, readonly [rows: number, sum: number]>>;
}

/** Sums up tables as they are written. */
export class Sums {
  readonly #rows = new Map<Table, Map<string, number>>(TABLES.map((table) => [table, new Map()]));
  readonly #sums = new Map<Table, number>(TABLES.map((table) => [table, 0]));

  /** Records a write. `sum` undefined: the row was removed. */
  note(table: Table, key: Buffer, sum: number | undefined): void {
    const rows = this.#rows.get(table) as Map<string, number>;
    const name = key.toString("latin1");
    const before = rows.get(name) ?? 0;
    if (sum === undefined) rows.delete(name);
    else rows.set(name, sum);
    this.#sums.set(table, ((this.#sums.get(table) ?? 0) ^ before ^ (sum ?? 0)) >>> 0);
  }

  has(table: Table, key: Buffer): boolean {
    return this.#rows.get(table)?.has(key.toString("latin1")) === true;
  }

  tally(n: number): Tally {
    const tables = TABLES.map(
      (table) => [table, [this.#rows.get(table)?.size ?? 0, this.#sums.get(table) ?? 0]] as const,
    );
    return { n, tables: Object.fromEntries(tables) };
  }
}
