/**
 * Endpoints whose port map of creation no longer holds: external connectivity was programmed or revoked since. The store keeps
 * them, because a replay repeats the creation with that map.
 */
import type { StorePower } from "bulkhead/plugin";
import { storeKey } from "bulkhead/plugin/addressing";

const PREFIX = "superseded/";

export class Superseded {
  readonly #store: StorePower;
  readonly #keys = new Set<string>();

  constructor(store: StorePower) {
    this.#store = store;
  }

  async load(): Promise<void> {
    for (const key of await this.#store.keys(PREFIX)) this.#keys.add(key);
  }

  /** `endpoint`: its `endpointKey`. */
  has(endpoint: string): boolean {
    return this.#keys.has(PREFIX + storeKey(endpoint));
  }

  async add(endpoint: string): Promise<void> {
    const key = PREFIX + storeKey(endpoint);
    if (this.#keys.has(key)) return;
    await this.#store.set(key, true);
    this.#keys.add(key);
  }

  async forget(endpoint: string): Promise<void> {
    const key = PREFIX + storeKey(endpoint);
    if (this.#keys.delete(key)) await this.#store.delete(key);
  }
}
