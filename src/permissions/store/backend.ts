/** Storage for `store`. Quota, order and meaning of values are up to the host half; a backend only stores text. */

/** A key of a namespace, and the length of its text. */
export interface StoredEntry {
  readonly key: string;
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;
}

/**
 * A key-value store with a namespace per plugin. Calls on one namespace come one at a time; each sees the effects of those that
 * resolved before. A `set` or `delete` that rejects has either happened completely or not at all.
 */
export interface StoreBackend {
  get(namespace: string, key: string): Promise<string | undefined>;
  set(namespace: string, key: string, text: string): Promise<void>;
  /** Deletes a key; one that does not exist is not an error. */
  delete(namespace: string, key: string): Promise<void>;
  /** Returns all keys of a namespace, in any order. */
  entries(namespace: string): Promise<readonly StoredEntry[]>;
}

/** A backend in memory: its values are lost when the host ends. */
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
