/** Names of links, made of ids: short, unique, and the same after a restart. */
import type { Json } from "../driverapi/json.js";
import { hash64, storeKey } from "./hash.js";

/** Linux's longest name of a link, in bytes. */
const LONGEST = 15;

/** What is used of `powers.store`. */
export interface NameStore {
  get(key: string): Promise<Json>;
  set(key: string, json: Json): Promise<void>;
  delete(key: string): Promise<boolean>;
  keys(prefix?: string): Promise<readonly string[]>;
}

/**
 * The names that a driver's links have: the granted prefix, `-`, a letter for the link's role, and a hash of an id. If the
 * hashes of two ids collide, the later id gets a salt, which the store keeps: after a restart the two may come in either order.
 */
export class LinkNames {
  readonly #prefix: string;
  readonly #store: NameStore;
  readonly #salts: Map<string, number>;
  readonly #taken = new Set<string>();

  private constructor(prefix: string, store: NameStore, salts: Map<string, number>) {
    this.#prefix = prefix;
    this.#store = store;
    this.#salts = salts;
  }

  /** Reads the salts that earlier workers kept. `prefix`: `powers.netlink.prefix`; `store`: `powers.store`. */
  static async open(prefix: string, store: NameStore): Promise<LinkNames> {
    const salts = new Map<string, number>();
    for (const key of await store.keys("salt/")) {
      const salt = await store.get(key);
      if (typeof salt === "number") salts.set(key, salt);
    }
    return new LinkNames(prefix, store, salts);
  }

  /** Takes names for the links of `key`, an id, one name per role. They are taken before the first `await`. */
  async take(key: string, roles: readonly string[]): Promise<readonly string[]> {
    const saltKey = this.#saltKey(key);
    const kept = this.#salts.get(saltKey) ?? 0;
    let salt = kept;
    let names = this.#names(key, roles, salt);
    while (names.some((name) => this.#taken.has(name))) names = this.#names(key, roles, ++salt);
    for (const name of names) this.#taken.add(name);
    if (salt === kept) return names;
    this.#salts.set(saltKey, salt);
    try {
      await this.#store.set(saltKey, salt);
    } catch (error) {
      this.#salts.delete(saltKey);
      this.release(names);
      throw error;
    }
    return names;
  }

  /** Frees names whose links were not made. The salt of their id is kept. */
  release(names: readonly string[]): void {
    for (const name of names) this.#taken.delete(name);
  }

  /** Frees the names of an id that is deleted, and forgets its salt. */
  async forget(key: string, names: readonly string[]): Promise<void> {
    this.release(names);
    const saltKey = this.#saltKey(key);
    if (this.#salts.delete(saltKey)) await this.#store.delete(saltKey);
  }

  /** Returns the names that an earlier worker may have used for an id this one does not know, without those taken now. */
  leftBy(key: string, roles: readonly string[]): readonly string[] {
    const names = this.#names(key, roles, this.#salts.get(this.#saltKey(key)) ?? 0);
    return names.filter((name) => !this.#taken.has(name));
  }

  #names(key: string, roles: readonly string[], salt: number): readonly string[] {
    const digits = hash64(salt === 0 ? key : `${key}#${salt}`)
      .toString(36)
      .padStart(13, "0");
    const room = LONGEST - this.#prefix.length - 2;
    return roles.map((role) => `${this.#prefix}-${role}${digits.slice(-room)}`);
  }

  #saltKey(key: string): string {
    return `salt/${storeKey(key)}`;
  }
}
