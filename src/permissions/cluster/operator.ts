/** One plugin's cluster as the operator sees it: the hosts that are alive, and those that are fenced. */
import { DriverError } from "../../driverapi/errors.js";
import { isJsonObject, type Json, type JsonObject } from "../../driverapi/json.js";
import { type Guard, rangeOfKey, type StoreEntry, StoreError } from "./backend.js";
import { FENCED, type Fence, fenceText, readFence } from "./fence.js";
import type { ClusterFigures } from "./limits.js";
import { ALIVE } from "./rules.js";
import type { Space } from "./space.js";

/** A holder of a lease, or a host that is fenced. */
export interface ClusterMember {
  readonly plugin: string;
  /** The lease's name; of a fence without a lease, what was fenced. */
  readonly host: string;
  /** Distinguishes holders of one name; null: nobody holds a lease. */
  readonly holder: string | null;
  /** True if the holder is this host. */
  readonly here: boolean;
  /** What the holder says of itself, if it is an object. */
  readonly value: JsonObject | null;
  readonly fence: Fence | null;
}

/** What became of a fence. */
export interface Fencing {
  readonly plugin: string;
  /** False: it was so before. */
  readonly changed: boolean;
  /** Null: the host is not fenced. */
  readonly fence: Fence | null;
}

/** What `PluginCluster` takes. */
export interface PluginClusterOptions {
  readonly plugin: string;
  /** The plugin's keys, charged to nobody: an operator does not wait for the plugin's debts. */
  readonly space: Space;
  readonly figures: ClusterFigures;
  /** The keys of this host's own leases. */
  held(): ReadonlySet<string>;
}

interface Alive {
  readonly name: string;
  readonly holder: string;
  readonly entry: StoreEntry;
}

export class PluginCluster {
  readonly #options: PluginClusterOptions;

  constructor(options: PluginClusterOptions) {
    this.#options = options;
  }

  /** Lists the holders of leases, and what is fenced without one. Rejects with `ERR_CLUSTER_FAILED`. */
  hosts(): Promise<readonly ClusterMember[]> {
    const { plugin, held } = this.#options;
    return this.#asked(async () => {
      const [alive, fences] = await Promise.all([this.#alive(), this.#fences()]);
      const here = held();
      const holders = alive.map(({ name, holder, entry }): ClusterMember => {
        const value = JSON.parse(entry.text) as Json;
        return {
          ...{ plugin, host: name, holder, here: here.has(entry.key), value: isJsonObject(value) ? value : null },
          fence: fences.get(name) ?? fences.get(holder) ?? null,
        };
      });
      const told = new Set(alive.flatMap(({ name, holder }) => [name, holder]));
      const others = [...fences].flatMap(([host, fence]): readonly ClusterMember[] =>
        told.has(host) ? [] : [{ plugin, host, holder: null, here: false, value: null, fence }],
      );
      return [...holders, ...others];
    });
  }

  /** Rejects with `ERR_CLUSTER_FENCE` if the host, by its lease's name or as a holder, is alive. */
  async assertGone(host: string): Promise<void> {
    const alive = await this.#asked(() => this.#alive());
    if (alive.some((one) => one.name === host || one.holder === host)) throw this.#aliveStill(host);
  }

  /**
   * Fences a host. Without `force`, rejects with `ERR_CLUSTER_FENCE` if it is alive, also if its lease begins meanwhile; a later one is
   * refused. Rejects with `ERR_CLUSTER_FAILED`, or `ERR_CLUSTER_UNKNOWN`: doing it twice is the same as once.
   */
  async fence(host: string, reason: string | undefined, force: boolean): Promise<Fencing> {
    const { plugin, space } = this.#options;
    if (!force) await this.assertGone(host);
    const key = space.root + FENCED + host;
    return this.#asked(async () => {
      const text = fenceText(new Date().toISOString(), reason);
      const { done, revision } = await space.backend.commit([{ key, revision: 0 }], [{ key, text }]);
      if (!done) {
        const present = await this.#fenceOf(key);
        return { plugin, changed: false, fence: present && readFence(present) };
      }
      if (!force) await this.#confirmed(host, { key, revision });
      return { plugin, changed: true, fence: readFence({ text }) };
    });
  }

  /** Takes back a fence that was just written, if the host is alive after all or cannot be looked for. */
  async #confirmed(host: string, written: Guard & { readonly key: string }): Promise<void> {
    const { backend } = this.#options.space;
    let found: readonly Alive[];
    try {
      found = await this.#alive();
    } catch (error) {
      const undone = await backend.commit([written], [{ key: written.key }]).then(
        () => true,
        () => false,
      );
      if (undone) throw error;
      throw new StoreError(`the fence of host "${host}" was written, and then the store did not answer`, {
        unknown: true,
      });
    }
    if (!found.some((one) => one.name === host || one.holder === host)) return;
    await backend.commit([written], [{ key: written.key }]);
    throw this.#aliveStill(host);
  }

  /** Ends a fence. Rejects as `fence` does. */
  unfence(host: string): Promise<Fencing> {
    const { plugin, space } = this.#options;
    const key = space.root + FENCED + host;
    return this.#asked(async () => {
      const present = await this.#fenceOf(key);
      if (present === null) return { plugin, changed: false, fence: null };
      await space.backend.commit([], [{ key }]);
      return { plugin, changed: true, fence: null };
    });
  }

  async #fenceOf(key: string): Promise<StoreEntry | null> {
    const { entries } = await this.#options.space.backend.read(rangeOfKey(key), { limit: 1 });
    return entries[0] ?? null;
  }

  async #alive(): Promise<readonly Alive[]> {
    const { entries } = await this.#options.space.list(ALIVE, this.#until());
    return entries.flatMap((entry) => {
      const [, name, holder, ...more] = entry.key.split("/");
      return name && holder && more.length === 0 ? [{ name, holder, entry }] : [];
    });
  }

  async #fences(): Promise<ReadonlyMap<string, Fence>> {
    const { entries } = await this.#options.space.list(FENCED, this.#until());
    return new Map(entries.map((entry) => [entry.key.slice(FENCED.length), readFence(entry)]));
  }

  #until(): number {
    return performance.now() + this.#options.figures.operatorMs;
  }

  #aliveStill(host: string): DriverError {
    const { plugin } = this.#options;
    const words = `host "${host}" holds a lease of plugin "${plugin}": it is alive, and uses what it has; stop it, wait until its lease ends, and try again; --plugin asks another plugin alone, and --force states it all the same`;
    return new DriverError("ERR_CLUSTER_FENCE", words, { plugin });
  }

  async #asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const { plugin } = this.#options;
      const [code, words] = error.unknown
        ? (["ERR_CLUSTER_UNKNOWN", "may have been changed; try again"] as const)
        : (["ERR_CLUSTER_FAILED", "were not changed"] as const);
      const message = `the keys of plugin "${plugin}" ${words}: ${error.message}`;
      throw new DriverError(code, message, { plugin, cause: error });
    }
  }
}
