/** Writes that are not in the log yet, in order. */
import type { RowIndex } from "./log/row-index.js";
import type { Write } from "./tables.js";

export class PendingWrites {
  /** Number of the last write, here or in the log. */
  n: number;
  /** Size of keys and bodies. */
  bytes = 0;
  readonly #index: RowIndex;
  /** Keys in latin1, as the index has them. */
  #writes: Write<string>[] = [];

  constructor(n: number, index: RowIndex) {
    this.n = n;
    this.#index = index;
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0;
  }

  get writes(): readonly Write<string>[] {
    return this.#writes;
  }

  add({ table, key, body }: Write): void {
    const latin1 = latin1Of(key);
    this.n++;
    this.#writes.push({ table, key: latin1, body });
    this.bytes += latin1.length + (body === undefined ? 0 : Buffer.byteLength(body));
  }

  /** True if the row exists in the log, or will with what is pending. */
  holds({ table, key }: Write): boolean {
    const latin1 = latin1Of(key);
    return this.#index.of(table).has(latin1) || this.#writes.some((one) => one.table === table && one.key === latin1);
  }

  /** Returns the writes, which are pending no longer. */
  take(): readonly Write<string>[] {
    const taken = this.#writes;
    this.#writes = [];
    this.bytes = 0;
    return taken;
  }
}

function latin1Of(key: Buffer | string): string {
  return typeof key === "string" ? key : key.toString("latin1");
}
