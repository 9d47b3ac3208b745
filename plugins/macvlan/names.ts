/** Names of links, made of ids: short, the same again after a restart, and each one's own. */
import type { StorePower } from "bulkhead/plugin";

/** Linux's longest name of a link, in bytes. */
const LONGEST = 15;

const MASK = (1n << 64n) - 1n;

/**
 * Sixty-four bits of a text: FNV-1a, then murmur's mixing, so that every bit of the result depends on all of the
 * text.
 */
export function hash64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return hash ^ (hash >> 33n);
}

/** What identifies an endpoint among all networks. */
export function endpointKey(nid: string, eid: string): string {
  return `${nid.length}:${nid}${eid}`;
}

/** A text of any length as part of a key of the store's. */
export function storeKey(text: string): string {
  return `${hash64(`a${text}`).toString(16)}${hash64(`b${text}`).toString(16)}`;
}

/**
 * The names in use. Two ids may come to the same name: the later one is then salted, and its salt kept in the store,
 * since after a restart the two may come in the other order.
 */
export class NameBook {
  readonly #prefix: string;
  readonly #store: StorePower;
  readonly #salts = new Map<string, number>();
  readonly #taken = new Set<string>();

  /** `prefix`: what every name begins with, before a `-`. */
  constructor(prefix: string, store: StorePower) {
    this.#prefix = prefix;
    this.#store = store;
  }

  /** Reads the salts that were kept. */
  async load(): Promise<void> {
    for (const key of await this.#store.keys("salt/")) {
      const salt = await this.#store.get(key);
      if (typeof salt === "number") this.#salts.set(key, salt);
    }
  }

  /**
   * Names for what `key` identifies, one per role: `bh-` ROLE and letters and digits. Reserved before anything is
   * awaited.
   */
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

  /** Gives names back. */
  release(names: readonly string[]): void {
    for (const name of names) this.#taken.delete(name);
  }

  /** Gives the names of `key` back for good. */
  async forget(key: string, names: readonly string[]): Promise<void> {
    this.release(names);
    const saltKey = this.#saltKey(key);
    if (this.#salts.delete(saltKey)) await this.#store.delete(saltKey);
  }

  /** The names that `key` would have had, if nobody else has them: what a worker that is gone may have left behind. */
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
