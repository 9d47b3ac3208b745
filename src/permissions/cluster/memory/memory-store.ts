/** A store in memory, for one host and for tests. It ends with its process. */
import {
  type Change,
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
import { CLUSTER } from "../limits.js";

interface Row {
  readonly text: string;
  readonly revision: number;
  readonly lease: string | undefined;
}

interface Watcher {
  readonly range: KeyRange;
  readonly sink: WatchSink;
  /** False until it has been told what it asked for of the past. */
  live: boolean;
}

/** What one revision changed, and the rows it replaced. */
interface Past {
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly before: ReadonlyMap<string, Row | undefined>;
}

export class MemoryClusterStore implements ClusterBackend {
  readonly #rows = new Map<string, Row>();
  #revision = 1;
  #compacted = 0;
  #history: Past[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #leases = new Map<string, NodeJS.Timeout>();
  #nextLease = 1;

  async read(range: KeyRange, options: ReadOptions = {}): Promise<Snapshot> {
    // Replies in a later turn of the event loop, as a remote store does.
    await new Promise((resolve) => setImmediate(resolve));
    const { payer } = options;
    return payer ? payer.charge(() => this.#read(range, options)) : this.#read(range, options);
  }

  #read(range: KeyRange, { at, after = 0, limit, names = false }: ReadOptions): Snapshot {
    if (at !== undefined && at > this.#revision)
      throw new StoreError("that revision does not exist yet", { gone: "revision" });
    if (at !== undefined && at < this.#compacted)
      throw new StoreError("that revision has been compacted", { gone: "revision" });
    const all = rowsIn(this.#rowsAt(at ?? this.#revision), range);
    const wanted = all.filter(([, row]) => row.revision > after);
    const entries = wanted
      .slice(0, limit)
      .map(([key, { text, revision }]) => ({ key, text: names ? "" : text, revision }));
    return { entries, count: all.length, revision: this.#revision, more: entries.length < wanted.length };
  }

  async commit(guards: readonly Guard[], writes: readonly StoreWrite[]): Promise<Commit> {
    if (guards.some(({ key, revision }) => (this.#rows.get(key)?.revision ?? 0) !== revision))
      return { done: false, revision: this.#revision };
    if (writes.some(({ lease }) => lease !== undefined && !this.#leases.has(lease)))
      throw new StoreError("that lease has ended", { gone: "lease" });
    return { done: true, revision: this.#write(writes) };
  }

  watch(range: KeyRange, from: number, sink: WatchSink): () => void {
    const watcher: Watcher = { range, sink, live: false };
    this.#watchers.add(watcher);
    // The caller first gets what ends the watch.
    queueMicrotask(() => {
      watcher.live = true;
      if (from < this.#compacted) this.#end(watcher, "compacted", "those revisions have been compacted");
      else for (const one of this.#history) if (one.revision >= from) this.#tell(watcher, one.changes);
    });
    return () => void this.#watchers.delete(watcher);
  }

  async lease(ttlMs: number): Promise<StoreLease> {
    const id = String(this.#nextLease++);
    const live = (): void => {
      clearTimeout(this.#leases.get(id));
      this.#leases.set(id, setTimeout(() => this.#expire(id), ttlMs).unref());
    };
    live();
    return {
      id,
      renew: async () => {
        if (!this.#leases.has(id)) return false;
        live();
        return true;
      },
      end: async () => this.#expire(id),
    };
  }

  async close(): Promise<void> {
    for (const timer of this.#leases.values()) clearTimeout(timer);
    this.#watchers.clear();
  }

  /** Forgets the revisions before this one: reads at them, and watches from them, find them gone. */
  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.#revision));
    this.#history = this.#history.filter((one) => one.revision >= this.#compacted);
  }

  #rowsAt(revision: number): ReadonlyMap<string, Row> {
    if (revision === this.#revision) return this.#rows;
    const rows = new Map(this.#rows);
    for (const one of this.#history.toReversed()) {
      if (one.revision <= revision) break;
      for (const [key, row] of one.before) {
        if (row === undefined) rows.delete(key);
        else rows.set(key, row);
      }
    }
    return rows;
  }

  #expire(id: string): void {
    clearTimeout(this.#leases.get(id));
    if (!this.#leases.delete(id)) return;
    const ended = [...this.#rows].flatMap(([key, { lease }]) => (lease === id ? [{ key }] : []));
    if (ended.length > 0) this.#write(ended);
  }

  #write(writes: readonly StoreWrite[]): number {
    const real = writes.filter(({ key, text }) => text !== undefined || this.#rows.has(key));
    if (real.length === 0) return this.#revision;
    const revision = ++this.#revision;
    const changes = real.map(({ key, text }) => ({ key, text, revision, created: !this.#rows.has(key) }));
    const before = new Map(real.map(({ key }) => [key, this.#rows.get(key)]));
    for (const { key, text, lease } of real) {
      if (text === undefined) this.#rows.delete(key);
      else this.#rows.set(key, { text, revision, lease });
    }
    this.#history.push({ revision, changes, before });
    if (this.#history.length > CLUSTER.revisionsKept) this.compact(revision - CLUSTER.revisionsKept / 2);
    for (const watcher of [...this.#watchers]) this.#tell(watcher, changes);
    return revision;
  }

  #tell(watcher: Watcher, changes: readonly Change[]): void {
    const seen = changes.filter(({ key }) => isIn(key, watcher.range));
    if (seen.length > 0 && watcher.live && this.#watchers.has(watcher)) watcher.sink.changes(seen);
  }

  #end(watcher: Watcher, why: "compacted" | "lost", words: string): void {
    if (this.#watchers.delete(watcher)) watcher.sink.ended(why, words);
  }
}

/** Returns the rows of a range, sorted. */
function rowsIn(rows: ReadonlyMap<string, Row>, range: KeyRange): readonly (readonly [string, Row])[] {
  if (range.to === `${range.from}\0`) {
    const row = rows.get(range.from);
    return row ? [[range.from, row]] : [];
  }
  const found: (readonly [string, Row])[] = [];
  for (const one of rows) if (isIn(one[0], range)) found.push(one);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

function isIn(key: string, { from, to }: KeyRange): boolean {
  return key >= from && key < to;
}
