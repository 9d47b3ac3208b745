/**
 * The bytes that plugins ran last: a plugin with networks can serve on after a restart, even if its files have changed
 * meanwhile.
 */

import type { Manifest } from "../policy/manifest/schema.js";
import type { Journal } from "./journal/journal.js";
import type { StateFile } from "./state-file.js";

/** One plugin as it was when last in service. */
export interface Shelved {
  readonly id: string;
  readonly version: string | undefined;
  readonly manifest: Manifest | undefined;
  readonly code: string;
  readonly sourceMap: string;
  readonly sha256: string;
  /** The network types it may have registered. */
  readonly types: readonly string[];
  /**
   * The version that the policy pins, if this one was accepted in its place. Absent: this is the pinned one, or none is
   * pinned.
   */
  readonly pinned?: ShelvedPin | undefined;
}

/** A pinned version, as far as needed to compare a later one with it. */
export interface ShelvedPin {
  readonly sha256: string;
  readonly manifest: Manifest | undefined;
}

export interface Shelf {
  /** Reads what is kept of a plugin, in use or not. */
  kept(id: string): Promise<Shelved | undefined>;
  /** Reads what is kept of a plugin whose types have networks in the journal. */
  inUse(id: string): Promise<Shelved | undefined>;
  keep(shelved: Shelved): Promise<void>;
  forget(id: string): Promise<void>;
}

/** For hosts without a data folder: after a restart their plugins have no networks. */
export const NO_SHELF: Shelf = {
  kept: async () => undefined,
  inUse: async () => undefined,
  async keep() {},
  async forget() {},
};

export class LogShelf implements Shelf {
  readonly #state: StateFile;
  readonly #journal: Journal;

  constructor(state: StateFile, journal: Journal) {
    this.#state = state;
    this.#journal = journal;
  }

  async inUse(id: string): Promise<Shelved | undefined> {
    const shelved = await this.kept(id);
    if (!shelved) return undefined;
    const journalled = new Set(await this.#journal.types());
    return shelved.types.some((type) => journalled.has(type)) ? shelved : undefined;
  }

  async keep(shelved: Shelved): Promise<void> {
    const body = JSON.stringify(shelved);
    if (JSON.stringify(await this.kept(shelved.id)) !== body)
      await this.#state.put("bundles", Buffer.from(shelved.id), body);
  }

  async forget(id: string): Promise<void> {
    await this.#state.put("bundles", Buffer.from(id), undefined);
  }

  async kept(id: string): Promise<Shelved | undefined> {
    const body = this.#state.get("bundles", Buffer.from(id));
    return body === undefined ? undefined : (JSON.parse(body) as Shelved);
  }
}
