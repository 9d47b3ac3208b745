/**
 * A store in this process, for one host and for tests. It ends with its process, unless something keeps its keys: then nothing is
 * answered or told before it is kept.
 */
import { messageOf } from "../../../common/text.js";
import {
  type ClusterBackend,
  type Commit,
  type Guard,
  type KeyRange,
  type ReadOptions,
  type Snapshot,
  StoreError,
  type StoreLease,
  type StoreWrite,
  type WatchSink,
} from "../backend.js";
import type { KeptKeys } from "./kept-keys.js";
import { isIn, type Past, Revisions } from "./revisions.js";

interface Watcher {
  readonly range: KeyRange;
  readonly sink: WatchSink;
  /** False until it has been told what it asked for of the past. */
  live: boolean;
}

export class MemoryClusterStore implements ClusterBackend {
  readonly #revisions: Revisions;
  readonly #kept: KeptKeys | undefined;
  /** The last revision that is kept, and was told to the watches. */
  #told: number;
  /** Settles with the last write. */
  #lastWrite: Promise<void> = Promise.resolve();
  readonly #watchers = new Set<Watcher>();
  readonly #leases = new Map<string, NodeJS.Timeout>();
  #nextLease = 1;

  constructor(revisions: Revisions = new Revisions(), kept?: KeptKeys) {
    this.#revisions = revisions;
    this.#told = revisions.revision;
    this.#kept = kept;
  }

  async read(range: KeyRange, options: ReadOptions = {}): Promise<Snapshot> {
    // Replies in a later turn of the event loop, as a remote store does.
    await new Promise((resolve) => setImmediate(resolve));
    const { payer } = options;
    const read = (): Snapshot => this.#revisions.read(range, options);
    const snapshot = payer ? payer.charge(read) : read();
    await this.#settled();
    return snapshot;
  }

  async commit(guards: readonly Guard[], writes: readonly StoreWrite[]): Promise<Commit> {
    if (!this.#revisions.holds(guards)) {
      const { revision } = this.#revisions;
      await this.#settled();
      return { done: false, revision };
    }
    if (writes.some(({ lease }) => lease !== undefined && !this.#leases.has(lease)))
      throw new StoreError("that lease has ended", { gone: "lease" });
    return { done: true, revision: await this.#write(writes) };
  }

  watch(range: KeyRange, from: number, sink: WatchSink): () => void {
    const watcher: Watcher = { range, sink, live: false };
    this.#watchers.add(watcher);
    // The caller first gets what ends the watch.
    queueMicrotask(() => {
      watcher.live = true;
      const past = this.#revisions.since(from);
      if (past) for (const one of past) if (one.revision <= this.#told) this.#tell(watcher, one);
      if (!past && this.#watchers.delete(watcher)) sink.ended("compacted", "those revisions have been compacted");
    });
    return () => void this.#watchers.delete(watcher);
  }

  async lease(ttlMs: number): Promise<StoreLease> {
    const id = String(this.#nextLease++);
    const live = (): void => {
      clearTimeout(this.#leases.get(id));
      // A failure to keep it is reported by the next request.
      const expire = (): void => void this.#expire(id).catch(() => {});
      this.#leases.set(id, setTimeout(expire, ttlMs).unref());
    };
    live();
    return {
      id,
      renew: async () => {
        if (!this.#leases.has(id)) return false;
        live();
        return true;
      },
      end: () => this.#expire(id).catch(() => {}),
    };
  }

  async close(): Promise<void> {
    for (const timer of this.#leases.values()) clearTimeout(timer);
    this.#watchers.clear();
  }

  /** Forgets the revisions before this one: reads at them, and watches from them, find them gone. */
  compact(revision: number): void {
    this.#revisions.compact(revision);
  }

  async #expire(id: string): Promise<void> {
    clearTimeout(this.#leases.get(id));
    if (!this.#leases.delete(id)) return;
    await this.#write(this.#revisions.keysOf(id).map((key) => ({ key })));
  }

  async #write(writes: readonly StoreWrite[]): Promise<number> {
    this.#admit(writes);
    const past = this.#revisions.write(writes);
    const { revision } = this.#revisions;
    if (!past) await this.#settled();
    else if (this.#kept) await this.#keep(this.#kept, past, writes);
    this.#tellUpTo(revision);
    return revision;
  }

  /** Deletions are always written: they make room. */
  #admit(writes: readonly StoreWrite[]): void {
    if (writes.some(({ text }) => text === undefined)) return;
    try {
      this.#kept?.admit(writes.reduce((sum, { key, text = "" }) => sum + key.length + Buffer.byteLength(text), 0));
    } catch (error) {
      throw new StoreError(messageOf(error), { cause: error });
    }
  }

  async #keep(kept: KeptKeys, { revision, changes }: Past, writes: readonly StoreWrite[]): Promise<void> {
    const leased = new Set(writes.flatMap(({ key, lease }) => (lease === undefined ? [] : [key])));
    this.#lastWrite = kept.write(
      revision,
      changes.map(({ key, text }) => ({ key, text, leased: leased.has(key) })),
    );
    try {
      await this.#lastWrite;
    } catch (error) {
      throw new StoreError(messageOf(error), { unknown: true, cause: error });
    }
  }

  /** Resolves once all that is in memory now is kept: what a power cut can take away is not shown to anybody. */
  async #settled(): Promise<void> {
    const { revision } = this.#revisions;
    if (!this.#kept || this.#told >= revision) return;
    try {
      // One that failed may succeed now, as on a disk that was full.
      await this.#lastWrite.catch(() => this.#kept?.settle());
    } catch (error) {
      throw new StoreError(messageOf(error), { cause: error });
    }
    this.#tellUpTo(revision);
  }

  #tellUpTo(revision: number): void {
    for (const past of this.#revisions.since(this.#told + 1) ?? []) {
      if (past.revision > revision) break;
      this.#told = past.revision;
      for (const watcher of [...this.#watchers]) this.#tell(watcher, past);
    }
    this.#revisions.trim(this.#told);
  }

  #tell(watcher: Watcher, { changes }: Past): void {
    const seen = changes.filter(({ key }) => isIn(key, watcher.range));
    if (seen.length > 0 && watcher.live && this.#watchers.has(watcher)) watcher.sink.changes(seen);
  }
}
