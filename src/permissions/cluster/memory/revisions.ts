/** Keys with their values, and the latest of their revisions: what a store in this process is made of. Pure, and synchronous. */
import {
  type Change,
  type Guard,
  type KeyRange,
  type ReadOptions,
  type Snapshot,
  StoreError,
  type StoreWrite,
} from "../backend.js";
import { CLUSTER } from "../limits.js";

/** A key's value. */
export interface Row {
  readonly text: string;
  /** The revision of its last write. */
  readonly revision: number;
  readonly lease: string | undefined;
}

/** What one revision changed, and the rows it replaced. */
export interface Past {
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly before: ReadonlyMap<string, Row | undefined>;
  /** Characters of the values in it. */
  readonly chars: number;
}

export class Revisions {
  readonly #rows: Map<string, Row>;
  /** The keys of the rows, sorted. */
  readonly #keys: string[];
  #revision: number;
  /** Reads at earlier revisions find them gone. */
  #compacted: number;
  /** The first revision whose changes can be told. */
  #oldest: number;
  /** Of each revision from `#oldest` on, in order. */
  #history: Past[] = [];
  #chars = 0;

  /** Begins with rows as they were at a revision; without them, empty. */
  constructor(rows: ReadonlyMap<string, Row> = new Map(), revision = 0) {
    this.#rows = new Map(rows);
    this.#keys = [...rows.keys()].sort();
    this.#revision = Math.max(1, revision);
    this.#compacted = revision;
    this.#oldest = revision + 1;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Reads a range. Throws `StoreError` for a revision that is compacted, or is yet to come. */
  read(range: KeyRange, { at = this.#revision, after = 0, limit, names = false }: ReadOptions): Snapshot {
    if (at > this.#revision) throw new StoreError("that revision is yet to come", { gone: "revision" });
    if (at < this.#compacted) throw new StoreError("that revision has been compacted", { gone: "revision" });
    const present = this.#keysIn(range);
    const past = at === this.#revision ? undefined : this.#rowsAt(at, range, present);
    const keys = past ? [...past.keys()].sort() : present;
    const rows = past ?? this.#rows;
    const entries: { key: string; text: string; revision: number }[] = [];
    let more = false;
    for (const key of keys) {
      const row = rows.get(key);
      if (row === undefined || row.revision <= after) continue;
      more = entries.length === limit;
      if (more) break;
      entries.push({ key, text: names ? "" : row.text, revision: row.revision });
    }
    return { entries, count: keys.length, revision: this.#revision, more };
  }

  /** True if all guards hold. */
  holds(guards: readonly Guard[]): boolean {
    return guards.every(({ key, revision }) => (this.#rows.get(key)?.revision ?? 0) === revision);
  }

  /** Writes all as one revision; returns undefined if nothing changes: only keys that do not exist are deleted. */
  write(writes: readonly StoreWrite[]): Past | undefined {
    const real = writes.filter(({ key, text }) => text !== undefined || this.#rows.has(key));
    if (real.length === 0) return undefined;
    const revision = ++this.#revision;
    const before = new Map(real.map(({ key }) => [key, this.#rows.get(key)]));
    const changes = real.map(({ key, text }) => ({ key, text, revision, created: before.get(key) === undefined }));
    for (const { key, text, lease } of real) this.#set(key, text === undefined ? undefined : { text, revision, lease });
    const texts = [...real.map(({ text }) => text), ...[...before.values()].map((row) => row?.text)];
    const chars = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    const past = { revision, changes, before, chars };
    this.#history.push(past);
    this.#chars += chars;
    return past;
  }

  /** Returns the keys that end with a lease. */
  keysOf(lease: string): readonly string[] {
    return [...this.#rows].flatMap(([key, row]) => (row.lease === lease ? [key] : []));
  }

  /** Returns what changed from a revision on, in order; undefined if that is not known any more. */
  since(from: number): readonly Past[] | undefined {
    if (from < this.#oldest) return undefined;
    return this.#history.slice(Math.max(0, from - (this.#history[0]?.revision ?? from)));
  }

  /** Forgets the revisions before this one: reads at them, and watches from them, find them gone. */
  compact(revision: number): void {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.#revision));
    this.#oldest = Math.max(this.#oldest, this.#compacted);
    this.#history = this.#history.filter((one) => one.revision >= this.#compacted);
    this.#chars = this.#history.reduce((sum, { chars }) => sum + chars, 0);
  }

  /** Forgets the older half once it is too much, but nothing from `keep` on. */
  trim(keep: number): void {
    if (this.#history.length <= CLUSTER.revisionsKept && this.#chars <= CLUSTER.historyChars) return;
    let [left, chars] = [this.#history.length, this.#chars];
    const first = this.#history.find((one) => {
      if (left <= CLUSTER.revisionsKept / 2 && chars <= CLUSTER.historyChars / 2) return true;
      left--;
      chars -= one.chars;
      return false;
    });
    this.compact(Math.min(first?.revision ?? this.#revision, keep));
  }

  #set(key: string, row: Row | undefined): void {
    const at = this.#place(key);
    if (row === undefined) this.#keys.splice(at, 1);
    else if (!this.#rows.has(key)) this.#keys.splice(at, 0, key);
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
  }

  /** Returns the rows of a range as they were at an earlier revision. */
  #rowsAt(revision: number, range: KeyRange, present: readonly string[]): ReadonlyMap<string, Row> {
    const rows = new Map(present.map((key) => [key, this.#rows.get(key) as Row]));
    for (const one of this.#history.toReversed()) {
      if (one.revision <= revision) break;
      for (const [key, row] of one.before) {
        if (!isIn(key, range)) continue;
        if (row === undefined) rows.delete(key);
        else rows.set(key, row);
      }
    }
    return rows;
  }

  #keysIn({ from, to }: KeyRange): readonly string[] {
    return this.#keys.slice(this.#place(from), this.#place(to));
  }

  /** Returns where a key is among the keys, or would be. */
  #place(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** True if a range has a key. */
export function isIn(key: string, { from, to }: KeyRange): boolean {
  return key >= from && key < to;
}
