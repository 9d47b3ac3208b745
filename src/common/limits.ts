/** Restarts of what ends by itself: a plugin's worker, a host process, the port holder. */
export const RESTARTS = {
  /** Window over which crashes are counted, in milliseconds. */
  windowMs: 60_000,
  /** How long an open circuit breaker stays open before one more try, in milliseconds. */
  openMs: 30_000,
  /** First delay of the restart back-off, in milliseconds; it doubles. */
  firstMs: 50,
  /** Longest delay of the restart back-off, in milliseconds. */
  maxMs: 5_000,
} as const;
