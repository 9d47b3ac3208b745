/** The tables of a data folder. Their order is part of the format: new tables go at the end. */
/**
 * `links`, `rules`, `shapes`: the kernel ledgers. `bundles`: the bytes run by plugins that have networks. `cluster`: the local store for
 * `cluster`.
 */
export const TABLES = ["journal", "store", "links", "rules", "meta", "bundles", "shapes", "cluster"] as const;
export type Table = (typeof TABLES)[number];

/** One row: its key's bytes, and its JSON. */
export interface Row {
  readonly key: Buffer;
  readonly body: string;
}

/** One write. `key`: its bytes, or a string of them in latin1; `body` undefined: the row is removed. */
export interface Write<Key extends Buffer | string = Buffer | string> {
  readonly table: Table;
  readonly key: Key;
  readonly body: string | undefined;
}
