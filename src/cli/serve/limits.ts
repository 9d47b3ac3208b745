/** The server of `bulkhead serve --metrics`. */
export const METRICS_SERVER = {
  /** Concurrent connections; further ones are closed. */
  connections: 64,
  /** Deadlines for a request's header, and for the whole request, to arrive, in milliseconds. */
  headerMs: 5_000,
  requestMs: 10_000,
  /** A connection on which nothing moves for so many milliseconds is closed. */
  idleMs: 30_000,
} as const;

/** `bulkhead serve` checks what the machine's network does to Bulkhead's packets. */
export const NETWORK_WATCH = {
  /** Interval between two checks, in milliseconds. */
  checkMs: 60_000,
  /** Delay before a second check; only problems that both find are reported, in milliseconds. */
  recheckMs: 2_000,
} as const;
