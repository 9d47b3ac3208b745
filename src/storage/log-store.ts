/** Plugins' stores in the data folder. */
import type { StoreBackend, StoredEntry } from "../permissions/store/backend.js";
import type { StateFile } from "./state-file.js";

/** Plugins' stores. A `set` or `delete` resolves when it is flushed. */
export class LogStore implements StoreBackend {
  readonly #state: StateFile;
  /** Current contents of namespaces: read once, on first use, and updated by every write. */
  readonly #namespaces = new Map<string, Promise<Map<string, string>>>();

  constructor(state: StateFile) {
    this.#state = state;
  }

  async get(namespace: string, key: string): Promise<string | undefined> {
    return (await this.#values(namespace)).get(key);
  }

  async set(namespace: string, key: string, text: string): Promise<void> {
    const values = await this.#values(namespace);
    this.#state.admit(Buffer.byteLength(text));
    await this.#state.put("store", keyOf(namespace, key), text);
    values.set(key, text);
  }

  async delete(namespace: string, key: string): Promise<void> {
    const values = await this.#values(namespace);
    await this.#state.put("store", keyOf(namespace, key), undefined);
    values.delete(key);
  }

  async entries(namespace: string): Promise<readonly StoredEntry[]> {
    return [...(await this.#values(namespace))].map(([key, text]) => ({ key, bytes: Buffer.byteLength(text) }));
  }

  #values(namespace: string): Promise<Map<string, string>> {
    let values = this.#namespaces.get(namespace);
    if (values === undefined) {
      values = this.#load(namespace);
      this.#namespaces.set(namespace, values);
      values.catch(() => this.#namespaces.delete(namespace));
    }
    return values;
  }

  async #load(namespace: string): Promise<Map<string, string>> {
    const prefix = keyOf(namespace, "");
    const rows = await this.#state.rows("store", prefix);
    return new Map(rows.map(({ key, body }) => [key.toString("utf8", prefix.length), body]));
  }
}

/** Builds a row's key. A plugin's id contains no NUL character; a key is well-formed Unicode. */
function keyOf(namespace: string, key: string): Buffer {
  return Buffer.from(`${namespace}\0${key}`);
}
