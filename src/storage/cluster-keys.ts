/** The keys of the local store for `cluster`, in the data folder's table `cluster`. */
import { join } from "node:path";
import type { KeptChange, KeptKey, KeptKeys } from "../permissions/cluster/memory/kept-keys.js";
import { corrupt } from "./errors.js";
import { rowValue } from "./row-shape.js";
import type { StateFile } from "./state-file.js";
import type { Write } from "./tables.js";

/** The row with the revision of the last write. A key has more than one part. */
const REVISION = Buffer.from("revision");

/** What a row holds: its revision, its value's JSON text, and whether it ends with a lease. */
type KeyRow = readonly [revision: number, text: string, leased: boolean];

export class ClusterKeys implements KeptKeys {
  readonly #state: StateFile;

  constructor(state: StateFile) {
    this.#state = state;
  }

  /** Rejects with `ERR_JOURNAL_CORRUPT`. */
  async load(): Promise<{ readonly keys: readonly KeptKey[]; readonly revision: number }> {
    const { folder } = this.#state;
    let revision = 0;
    const keys: KeptKey[] = [];
    for (const { key, body } of await this.#state.rows("cluster")) {
      const value = rowValue(folder, "cluster", body);
      if (key.equals(REVISION)) [revision] = value as KeyRow;
      else {
        const [written, text, leased] = value as KeyRow;
        keys.push({ key: key.toString(), text, revision: written, leased });
      }
    }
    const later = keys.find((one) => one.revision > revision);
    if (later)
      throw corrupt(
        join(folder, "log"),
        `a row of its table cluster has revision ${later.revision}, and the last is ${revision}`,
      );
    return { keys, revision };
  }

  admit(bytes: number): void {
    this.#state.admit(bytes);
  }

  write(revision: number, changes: readonly KeptChange[]): Promise<void> {
    const row = (value: KeyRow): string => JSON.stringify(value);
    const writes = changes.map(
      ({ key, text, leased }): Write => ({
        table: "cluster",
        key: Buffer.from(key),
        body: text === undefined ? undefined : row([revision, text, leased]),
      }),
    );
    return this.#state.putAll([...writes, { table: "cluster", key: REVISION, body: row([revision, "", false]) }]);
  }

  settle(): Promise<void> {
    return this.#state.putAll([]);
  }
}
