/** Locates the current value of each row. Keys are in memory, values are not. */
import { type Row, TABLES, type Table } from "../tables.js";
import type { DiskFile } from "./disk.js";

/** Bytes read at once when a table is read. */
const WINDOW = 1 << 20;

export interface Location {
  readonly file: DiskFile;
  readonly at: number;
  readonly bytes: number;
}

/** A row's place when a checkpoint began. */
export interface Placed {
  readonly table: Table;
  readonly key: string;
  readonly location: Location;
}

/** Keys are latin1 strings of the key's bytes. */
export class RowIndex {
  readonly #tables = new Map<Table, Map<string, Location>>(TABLES.map((table) => [table, new Map()]));
  #bytes = 0;

  /** Bytes of all current values and keys. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Records a write. `location` undefined: the row is removed. */
  set(table: Table, key: string, location: Location | undefined): void {
    const rows = this.of(table);
    const before = rows.get(key);
    if (before !== undefined) this.#bytes -= before.bytes + key.length;
    if (location === undefined) rows.delete(key);
    else {
      rows.set(key, location);
      this.#bytes += location.bytes + key.length;
    }
  }

  of(table: Table): Map<string, Location> {
    return this.#tables.get(table) as Map<string, Location>;
  }

  all(): Placed[] {
    return [...this.#tables].flatMap(([table, rows]) => [...rows].map(([key, location]) => ({ table, key, location })));
  }

  /** Moves a row's place to its copy in a checkpoint, unless it has been written since. */
  move({ table, key, location }: Placed, to: Location): void {
    const rows = this.of(table);
    if (rows.get(key) === location) rows.set(key, to);
  }
}

/** Reads one row's value. */
export function textAt({ file, at, bytes }: Location): string {
  return file.read(at, bytes).toString();
}

/** Reads many rows. */
export function readRows(entries: readonly (readonly [string, Location])[]): readonly Row[] {
  return [...readBodies(entries)].map(([key, body]) => ({ key: Buffer.from(key, "latin1"), body }));
}

/** Reads rows one by one, file by file and in the order in which they lie there. */
export function* readBodies(
  entries: readonly (readonly [string, Location])[],
): Generator<readonly [key: string, body: string]> {
  const sorted = [...entries].sort(([, a], [, b]) =>
    a.file === b.file ? a.at - b.at : a.file.name < b.file.name ? -1 : 1,
  );
  let window: { file: DiskFile | undefined; at: number; bytes: Buffer } = {
    file: undefined,
    at: 0,
    bytes: Buffer.alloc(0),
  };
  for (const [key, { file, at, bytes }] of sorted) {
    if (window.file !== file || at < window.at || at + bytes > window.at + window.bytes.length)
      window = { file, at, bytes: file.read(at, Math.max(WINDOW, bytes)) };
    const from = at - window.at;
    yield [key, window.bytes.toString("utf8", from, from + bytes)];
  }
}
