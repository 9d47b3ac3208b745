/** State shared by hosts: what one plugin may ask for, and the deadlines of the store. */
export const CLUSTER = {
  /** A key, and a prefix of keys, in bytes. */
  keyBytes: 256,
  /** A value's JSON text, in bytes; of a lease's value. */
  valueBytes: 32_768,
  leaseValueBytes: 1_024,
  /** Leases of one plugin on one host. */
  leases: 16,
  /** Bytes of a value that count as one more request. */
  bytesPerRequest: 4_096,
  /** Requests of one plugin that wait at a time, those for events not counted. */
  waiting: 128,
  /** Deadline of a request to the store, of a connection to it, and of a plugin's request as a whole, in milliseconds. */
  storeMs: 5_000,
  connectMs: 2_000,
  requestMs: 15_000,
  /** Deadline of a list for the operator, in milliseconds. */
  operatorMs: 8_000,
  /** Tries of a write whose accounts other hosts change at the same time. */
  attempts: 16,
  /** Longest pause between two of them, in milliseconds. */
  pauseMs: 40,
  /** Entries of one page read from the store. */
  pageEntries: 64,
  /** A reply of the store, a page of a list, and one line of a watch, in bytes. */
  replyBytes: 262_144,
  pageBytes: 4_194_304,
  lineBytes: 16_777_216,
  /** A whole list, in characters of keys and values: more than the largest grant and the leases of many hosts. */
  listChars: 16_777_216,
  /** Interval of checks that a watch has missed nothing, in milliseconds. */
  checkMs: 5_000,
  /** Delay before a check that found a difference is repeated, in milliseconds. */
  recheckMs: 1_000,
  /** Time without such a proof after which a watch tells that it may be behind, in milliseconds. */
  staleMs: 15_000,
  /** First pause before a lost watch is opened again, in milliseconds; it doubles each time. */
  reopenMs: 100,
  /** Longest of these pauses, in milliseconds. */
  reopenMaxMs: 5_000,
  /**
   * Events of one watch that wait for its worker, and characters of all that wait for it; beyond that, a watch's events are replaced by a
   * list. One list may have more characters, if nothing else waits.
   */
  queuedEvents: 1_024,
  queuedChars: 4_194_304,
  /** Events handed to a worker at once, and their characters; one list is handed out whole. */
  batchEvents: 64,
  batchChars: 1_048_576,
  /** How long a worker's request for events waits for the first one, in milliseconds. */
  pollMs: 2_000,
  /** Time to live of a lease, in milliseconds; it is renewed three times as often. */
  leaseMs: 15_000,
  /** Deadline for ending a plugin's leases when it is unloaded, in milliseconds; later they lapse. */
  endMs: 1_000,
  /** Time without a request for events after which a worker's leases are no longer renewed, in milliseconds. */
  silentMs: 10_000,
  /** Revisions that a store in this process keeps for watches, and characters of their values. */
  revisionsKept: 4_096,
  historyChars: 8_388_608,
} as const;

/** The figures, or a test's own. */
export type ClusterFigures = { readonly [K in keyof typeof CLUSTER]: number };
