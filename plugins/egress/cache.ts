/** Caches what name servers have answered, for as long as it is valid. When it is full, the oldest entry is evicted. */
import type { Rcode, Record } from "./message.ts";

/** A name's addresses, with the aliases that lead to them. */
export interface Found {
  readonly rcode: Rcode;
  readonly records: readonly Record[];
  /** An address that the name must not lead to, if it has no other. */
  readonly wrong?: string;
  /** When it ends, in milliseconds of `now`. */
  readonly until: number;
}

export class Cache {
  readonly #now: () => number;
  readonly #most: number;
  readonly #entries = new Map<string, Found>();

  constructor(now: () => number, most: number) {
    this.#now = now;
    this.#most = most;
  }

  get(key: string): Found | undefined {
    const found = this.#entries.get(key);
    if (found && found.until > this.#now()) return found;
    this.#entries.delete(key);
    return undefined;
  }

  put(key: string, found: Found): void {
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#most) this.#entries.delete(oldest);
    this.#entries.set(key, found);
  }
}
