/**
 * Stores the bytes that plugins ran last: after a restart, a plugin with networks can run them even if its files have changed.
 */

import type { Manifest } from "../policy/manifest/schema.js";
import type { Journal } from "./journal/journal.js";
import { rowValue } from "./row-shape.js";
import type { StateFile } from "./state-file.js";

/** One plugin as it was when last in service. */
export interface StoredBundle {
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
  readonly pinned?: PinnedVersion | undefined;
}

/** A pinned version, as far as needed to compare a later one with it. */
export interface PinnedVersion {
  readonly sha256: string;
  readonly manifest: Manifest | undefined;
}

export interface BundleStore {
  /** Returns a plugin's stored bundle. */
  get(id: string): Promise<StoredBundle | undefined>;
  /** Returns it only if the plugin's types have networks in the journal. */
  inUse(id: string): Promise<StoredBundle | undefined>;
  put(stored: StoredBundle): Promise<void>;
  delete(id: string): Promise<void>;
}

/** For hosts without a data folder: after a restart their plugins have no networks. */
export const NO_BUNDLE_STORE: BundleStore = {
  get: async () => undefined,
  inUse: async () => undefined,
  async put() {},
  async delete() {},
};

export class LogBundleStore implements BundleStore {
  readonly #state: StateFile;
  readonly #journal: Journal;

  constructor(state: StateFile, journal: Journal) {
    this.#state = state;
    this.#journal = journal;
  }

  async inUse(id: string): Promise<StoredBundle | undefined> {
    const stored = await this.get(id);
    if (!stored) return undefined;
    const journalled = new Set(await this.#journal.types());
    return stored.types.some((type) => journalled.has(type)) ? stored : undefined;
  }

  async put(stored: StoredBundle): Promise<void> {
    const body = JSON.stringify(stored);
    if (JSON.stringify(await this.get(stored.id)) === body) return;
    this.#state.admit(Buffer.byteLength(body));
    await this.#state.put("bundles", Buffer.from(stored.id), body);
  }

  async delete(id: string): Promise<void> {
    await this.#state.put("bundles", Buffer.from(id), undefined);
  }

  async get(id: string): Promise<StoredBundle | undefined> {
    const body = this.#state.get("bundles", Buffer.from(id));
    return body === undefined ? undefined : (rowValue(this.#state.folder, "bundles", body) as StoredBundle);
  }
}
