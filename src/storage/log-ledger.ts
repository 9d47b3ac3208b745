/** Ledgers of what the host has made in the kernel: links, firewall rules, shapes. */
import type { Ledger, RowChange } from "../permissions/ledger.js";
import { rowValue } from "./row-shape.js";
import type { StateFile } from "./state-file.js";

type LedgerTable = "links" | "rules" | "shapes";

/**
 * Rows by name. A write outlives this process but is not flushed: what it describes does not survive a reboot either. Changes
 * made together are one transaction.
 */
export class LogLedger<R extends { readonly name: string }> implements Ledger<R> {
  readonly id: string;
  readonly durable = true;
  readonly #state: StateFile;
  readonly #table: LedgerTable;

  constructor(state: StateFile, table: LedgerTable, id: string) {
    this.#state = state;
    this.#table = table;
    this.id = id;
  }

  /** Throws `ERR_JOURNAL_CORRUPT`. */
  async load(): Promise<readonly R[]> {
    const { folder } = this.#state;
    return (await this.#state.rows(this.#table)).map(({ body }) => rowValue(folder, this.#table, body) as R);
  }

  hasRoom(bytes: number): boolean {
    try {
      this.#state.admit(bytes);
      return true;
    } catch {
      return false;
    }
  }

  async write(changes: readonly RowChange<R>[]): Promise<void> {
    const table = this.#table;
    this.#state.log(
      changes.map((change) =>
        "put" in change
          ? { table, key: Buffer.from(change.put.name), body: JSON.stringify(change.put) }
          : { table, key: Buffer.from(change.drop), body: undefined },
      ),
    );
    this.#state.commit();
  }
}
