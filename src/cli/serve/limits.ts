/** `bulkhead serve` checks what the machine's network does to Bulkhead's packets. */
export const NETWORK_WATCH = {
  /** Interval between two checks, in milliseconds. */
  lookMs: 60_000,
  /** What a first check finds is reported if it persists after this long, in milliseconds. */
  againMs: 2_000,
} as const;
