/**
 * One plugin's leases on this host. The key of each says that its holder is alive, and ends with this host's lease in the store; nobody
 * else can write it, so no other holder takes over a lapsed one.
 */
import { Mutex } from "../../common/mutex.js";
import { messageOf } from "../../common/text.js";
import { within } from "../../common/within.js";
import { StoreError, type StoreLease } from "./backend.js";
import { refused } from "./errors.js";
import { FENCED } from "./fence.js";
import type { ClusterFigures } from "./limits.js";
import { ALIVE } from "./rules.js";
import type { Space } from "./space.js";

/** What `Leases` takes. */
export interface LeasesOptions {
  readonly plugin: string;
  readonly space: Space;
  /** Names this host in keys. */
  readonly member: string;
  readonly figures: ClusterFigures;
  /** Returns how long a worker has been silent, in milliseconds. */
  silentMs(worker: string): number;
  /** Called with a sentence for the operator's log. */
  warn(words: string): void;
}

interface Held {
  readonly worker: string;
  readonly text: string;
}

export class Leases {
  readonly #options: LeasesOptions;
  readonly #held = new Map<string, Held>();
  /** Serializes what changes the store's lease and its keys. */
  readonly #mutex = new Mutex();
  #lease: StoreLease | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Those of them that the store does not have, because an operator has fenced them; tried again at each renewal. */
  readonly #fenced = new Set<string>();
  #closed = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#held.keys());
  }

  get keys(): ReadonlySet<string> {
    return new Set([...this.#held.keys()].map((name) => this.#keyOf(name)));
  }

  /** Writes the key of a lease, and keeps it while the worker lives. Returns the key. */
  async hold(name: string, worker: string, text: string): Promise<string> {
    return this.#mutex.run(async () => {
      // Checked again: other requests may have been waiting for the store.
      if (!this.#held.has(name) && this.#held.size >= this.#options.figures.leases)
        throw refused(this.#options.plugin, "lease", "leases", `this host has ${this.#held.size} leases already`);
      await this.#put([[name, text]]);
      if (this.#fenced.has(name)) {
        if (!this.#held.has(name)) this.#fenced.delete(name);
        throw this.#refusal(name);
      }
      this.#held.set(name, { worker, text });
      this.#renewLater();
      return this.#keyOf(name);
    });
  }

  /** Ends one lease by its key. Returns whether it was there. */
  async end(key: string): Promise<boolean> {
    return this.#mutex.run(async () => {
      const name = [...this.#held.keys()].find((one) => this.#keyOf(one) === key);
      if (name === undefined) return false;
      // Not written again, even if the deletion fails.
      this.#held.delete(name);
      this.#fenced.delete(name);
      await this.#remove(key);
      return true;
    });
  }

  /** Ends all, if the store answers soon. Does not reject. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#held.clear();
    const ended = this.#mutex.run(async () => {
      await this.#lease?.end();
      this.#lease = undefined;
    });
    await within(this.#options.figures.endMs, ended);
  }

  #keyOf(name: string): string {
    return `${ALIVE}${name}/${this.#options.member}`;
  }

  async #remove(key: string): Promise<void> {
    const { space } = this.#options;
    try {
      await space.backend.commit([], [{ key: space.root + key }]);
    } catch (error) {
      // The key ends with this lease of the store, which is not renewed any more; the next renewal writes the other keys under a new one.
      this.#lease = undefined;
      throw error;
    }
    if (this.#held.size > 0) return;
    await this.#lease?.end();
    this.#lease = undefined;
  }

  async #put(rows: readonly (readonly [name: string, text: string])[], again = true): Promise<void> {
    const { space, figures } = this.#options;
    this.#lease ??= await space.backend.lease(figures.leaseMs);
    const lease = this.#lease.id;
    try {
      for (const [name, text] of rows) {
        const guard = { key: space.root + FENCED + name, revision: 0 };
        const write = { key: space.root + this.#keyOf(name), text, lease };
        if ((await space.backend.commit([guard], [write])).done) this.#fenced.delete(name);
        else this.#fenced.add(name);
      }
    } catch (error) {
      if (!(error instanceof StoreError) || error.gone !== "lease" || !again) throw error;
      this.#lease = undefined;
      // The keys of the others have ended with it.
      const held = [...this.#held].map(([name, { text }]) => [name, text] as const);
      return this.#put([...new Map([...held, ...rows])], false);
    }
  }

  #refusal(name: string): Error {
    const why = `an operator has said that host "${name}" is gone; to take that back: bulkhead cluster fence --undo ${name}`;
    return refused(this.#options.plugin, "lease", "fenced", why);
  }

  #renewLater(): void {
    // Writing a key does not renew the lease, so it does not put the next renewal off either.
    if (this.#closed || this.#held.size === 0 || this.#timer) return;
    const renew = (): void => {
      this.#timer = undefined;
      void this.#renew();
    };
    this.#timer = setTimeout(renew, this.#options.figures.leaseMs / 3).unref();
  }

  /** Renews the lease; if it has ended meanwhile, writes the keys again under a new one. */
  async #renew(): Promise<void> {
    const { figures, silentMs, warn } = this.#options;
    try {
      await this.#mutex.run(async () => {
        for (const [name, { worker }] of [...this.#held]) {
          if (silentMs(worker) <= figures.silentMs) continue;
          this.#held.delete(name);
          this.#fenced.delete(name);
          await this.#remove(this.#keyOf(name));
        }
        if (this.#closed || this.#held.size === 0) return;
        const renewed = await this.#lease?.renew();
        if (!renewed) this.#lease = undefined;
        const lacking = [...this.#held].filter(([name]) => !renewed || this.#fenced.has(name));
        if (lacking.length > 0) await this.#put(lacking.map(([name, { text }]) => [name, text]));
        const [one] = [...this.#fenced].filter((name) => !renewed && this.#held.has(name));
        if (one !== undefined) throw this.#refusal(one);
      });
    } catch (error) {
      warn(`a lease could not be renewed: ${messageOf(error)}`);
    }
    this.#renewLater();
  }
}
