/** A store that several hosts share. Its callers decide what a plugin may do with it. */

/** Keys from `from`, inclusive, to `to`, exclusive, in order of bytes. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

/** A key with its value. */
export interface StoreEntry {
  readonly key: string;
  /** Empty where only names were asked for. */
  readonly text: string;
  /** The revision of its last write. */
  readonly revision: number;
}

/** Charged for the main-thread time of parsing replies, which may be long. */
export interface Payer {
  /** Runs `work`, and charges its duration. */
  charge<T>(work: () => T): T;
  /** Resolves when more may be spent, or `useless` returns true. */
  free(useless?: () => boolean): Promise<void>;
}

/** What to read of a range, and when. */
export interface ReadOptions {
  /** The revision to read at; absent: the present one, linearizable. */
  readonly at?: number;
  /** Only entries written later than this revision. */
  readonly after?: number;
  /** The most entries; `count` is not limited by it. */
  readonly limit?: number;
  /** Leave out the values. */
  readonly names?: boolean;
  readonly payer?: Payer;
}

/** What was read. */
export interface Snapshot {
  /** In order of keys. */
  readonly entries: readonly StoreEntry[];
  /** Keys in the range, whatever `after` and `limit` leave out. */
  readonly count: number;
  /** The store's revision when it was read, also where `at` names an earlier one. */
  readonly revision: number;
  /** True if `limit` left entries out. */
  readonly more: boolean;
}

/** Holds if the key's last write has this revision; 0: if the key does not exist. */
export interface Guard {
  readonly key: string;
  readonly revision: number;
}

/** One write. Without `text`: deletes the key. */
export interface StoreWrite {
  readonly key: string;
  readonly text?: string | undefined;
  /** The id of the lease that the key ends with. */
  readonly lease?: string | undefined;
}

/** Whether the guards held, and the revision of the writes if they did. */
export interface Commit {
  readonly done: boolean;
  readonly revision: number;
}

/** A write that a watch has seen. */
export interface Change {
  readonly key: string;
  /** Undefined: the key was deleted, or its lease ended. */
  readonly text: string | undefined;
  readonly revision: number;
  /** True if the key did not exist before. */
  readonly created: boolean;
}

/** Receives what a watch sees; nothing after `ended`. */
export interface WatchSink {
  /** The changes of one or more whole revisions, in order. */
  changes(changes: readonly Change[]): void;
  /** "compacted": the store no longer has the revisions that were asked for. "lost": it can be opened again. */
  ended(why: "compacted" | "lost", words: string): void;
}

/** A lease that this host holds. */
export interface StoreLease {
  readonly id: string;
  /** Renews it. Resolves with false if it has ended, and its keys with it. */
  renew(): Promise<boolean>;
  /** Ends it with its keys; does not reject: it ends by itself later. */
  end(): Promise<void>;
}

/** The adapter of a store: five methods. All reject with `StoreError`. */
export interface ClusterBackend {
  read(range: KeyRange, options?: ReadOptions): Promise<Snapshot>;
  /** Writes all if all guards hold, else nothing. No key may be named twice. */
  commit(guards: readonly Guard[], writes: readonly StoreWrite[]): Promise<Commit>;
  /** Tells of changes from a revision on. Returns what ends it; then the sink is not called again. */
  watch(range: KeyRange, from: number, sink: WatchSink, payer?: Payer): () => void;
  lease(ttlMs: number): Promise<StoreLease>;
  close(): Promise<void>;
}

/** What is known of a request that failed. */
export interface StoreErrorDetails {
  /** True if a write may have happened, or may happen yet. */
  readonly unknown?: boolean;
  /** Set if the revision asked for is compacted, or the lease has ended. */
  readonly gone?: "revision" | "lease";
  readonly cause?: unknown;
}

/** Why a request to the store failed. */
export class StoreError extends Error {
  readonly unknown: boolean;
  readonly gone: "revision" | "lease" | undefined;

  constructor(message: string, { unknown = false, gone, cause }: StoreErrorDetails = {}) {
    super(message, { cause });
    this.unknown = unknown;
    this.gone = gone;
  }
}

/** Returns the range of all keys that begin with `prefix`, which must end in an ASCII character. */
export function rangeOf(prefix: string): KeyRange {
  return { from: prefix, to: prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1) };
}

/** Returns the range of one key. */
export function rangeOfKey(key: string): KeyRange {
  return { from: key, to: `${key}\0` };
}
