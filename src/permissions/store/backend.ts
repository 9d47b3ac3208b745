/** Where stores keep their bytes. The quota, the order and the meaning of values are the host half's; a backend only keeps text. */

/** One key of a namespace, and how long its text is. */
export interface StoredEntry {
  readonly key: string;
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;
}

/**
 * A key-value store with a namespace per plugin. Calls on one namespace come one at a time. What a promise has confirmed is there for
 * every later call; a `set` or `delete` that rejects has changed nothing or all of its one key.
 */
export interface StoreBackend {
  get(namespace: string, key: string): Promise<string | undefined>;
  set(namespace: string, key: string, text: string): Promise<void>;
  /** Deleting what is not there is no error. */
  delete(namespace: string, key: string): Promise<void>;
  /** All keys of a namespace, in any order. */
  entries(namespace: string): Promise<readonly StoredEntry[]>;
}

/** A backend that keeps everything in memory, and so nothing across runs of the host. */
export class MemoryStore implements StoreBackend {
  readonly #namespaces = new Map<string, Map<string, string>>();

  async get(namespace: string, key: string): Promise<string | undefined> {
    return this.#namespaces.get(namespace)?.get(key);
  }

  async set(namespace: string, key: string, text: string): Promise<void> {
    let values = this.#namespaces.get(namespace);
    if (values === undefined) {
      values = new Map();
      this.#namespaces.set(namespace, values);
    }
    values.set(key, text);
  }

  async delete(namespace: string, key: string): Promise<void> {
    this.#namespaces.get(namespace)?.delete(key);
  }

  async entries(namespace: string): Promise<readonly StoredEntry[]> {
    const values = this.#namespaces.get(namespace) ?? new Map<string, string>();
    return [...values].map(([key, text]) => ({ key, bytes: Buffer.byteLength(text) }));
  }
}
