/** What keeps the keys of a store in this process, so that they outlive it: the data folder. */
import type { Change } from "../backend.js";

/** A key as it is kept. */
export interface KeptKey {
  readonly key: string;
  readonly text: string;
  readonly revision: number;
  /** True if it was to end with a lease. */
  readonly leased: boolean;
}

/** A write that is to be kept. */
export interface KeptChange extends Pick<Change, "key" | "text"> {
  readonly leased: boolean;
}

export interface KeptKeys {
  /** Returns all keys, and the revision of the last write. Rejects if what is kept is damaged. */
  load(): Promise<{ readonly keys: readonly KeptKey[]; readonly revision: number }>;
  /** Throws if the disk cannot take this many more bytes. */
  admit(bytes: number): void;
  /**
   * Keeps the changes of one revision, all of them or none; resolves when they survive a power cut. What is written later is kept later.
   * After a rejection, they may be kept yet.
   */
  write(revision: number, changes: readonly KeptChange[]): Promise<void>;
  /** Resolves when everything written so far survives a power cut. */
  settle(): Promise<void>;
}
