/** What an operator is told of a data folder while a host runs. */

/** Flushes of the log so far; times in milliseconds. */
export interface Flushes {
  readonly count: number;
  /** The time that they took together. */
  readonly ms: number;
  /** The time that the last one took; 0 before the first. */
  readonly lastMs: number;
}

export interface StorageStatus {
  readonly flushes: Flushes;
  /** Bytes written to the current generation's log. */
  readonly logBytes: number;
  /** Bytes of all current rows and their keys. */
  readonly rowBytes: number;
  /** Allocated bytes that are kept for deletions, leaves and the close. */
  readonly reserveBytes: number;
  /** Bytes that this account may still write to the folder's file system; undefined if it does not say. */
  readonly freeBytes: number | undefined;
}
