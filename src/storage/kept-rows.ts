/** Rows that a part of the host keeps in the data folder's table `meta`, under a prefix of its own. */
import { join } from "node:path";
import { corrupt } from "./errors.js";
import type { StateFile } from "./state-file.js";

/** One row: its key without the prefix, and its JSON value, which the reader checks. */
export type KeptRow = readonly [key: string, value: unknown];

export interface KeptRows {
  /** Returns all rows. Rejects with `ERR_JOURNAL_CORRUPT`. */
  load(): Promise<readonly KeptRow[]>;
  /**
   * Writes a row, or removes it with `undefined`. When this returns, the row outlives the process; it survives a power cut if
   * anything written later does. Throws `ERR_JOURNAL_FAILED`.
   */
  write(key: string, value: object | undefined): void;
}

export class StateRows implements KeptRows {
  readonly #state: StateFile;
  readonly #prefix: string;

  constructor(state: StateFile, prefix: string) {
    this.#state = state;
    this.#prefix = prefix;
  }

  async load(): Promise<readonly KeptRow[]> {
    const rows = await this.#state.rows("meta", Buffer.from(this.#prefix));
    return rows.map(({ key, body }) => {
      try {
        return [key.toString().slice(this.#prefix.length), JSON.parse(body) as unknown];
      } catch {
        throw corrupt(join(this.#state.folder, "log"), `a row of its table meta (${this.#prefix}) is not JSON`);
      }
    });
  }

  write(key: string, value: object | undefined): void {
    const body = value === undefined ? undefined : JSON.stringify(value);
    this.#state.log([{ table: "meta", key: Buffer.from(this.#prefix + key), body }]);
    this.#state.commit();
  }
}

/** Returns rows of a host without a data folder: the same object each time for one prefix. */
export function memoryRows(all: Map<string, KeptRows>, prefix: string): KeptRows {
  const known = all.get(prefix);
  if (known) return known;
  const rows = new Map<string, string>();
  const kept: KeptRows = {
    load: async () => [...rows].map(([key, body]) => [key, JSON.parse(body) as unknown]),
    write(key, value) {
      if (value === undefined) rows.delete(key);
      else rows.set(key, JSON.stringify(value));
    },
  };
  all.set(prefix, kept);
  return kept;
}
