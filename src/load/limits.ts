/** Load, for `bulkhead bench`. */
export const LOAD = {
  /** Concurrent units of work; each value is one line of the result. */
  inFlight: [1, 64, 256],
  /** Concurrent requests in an open loop; further ones wait, and count as late by that time. */
  open: 20_000,
  /** How long an open loop waits for pending requests, in milliseconds. */
  drainMs: 2_000,
  /** How late a timer may be, in milliseconds. */
  timerMs: 2,
  /** Up to this many requests per second, a metronome thread times an open loop; below, its start time, in milliseconds. */
  beatsPerSecond: 2_000,
  metronomeMs: 100,
  /** Length of one measured line, in seconds: default and maximum. */
  seconds: 2,
  secondsMax: 60,
} as const;
