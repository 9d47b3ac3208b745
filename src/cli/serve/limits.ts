/** `bulkhead serve` checks what the machine's network does to Bulkhead's packets. */
export const NETWORK_WATCH = {
  /** Interval between two checks, in milliseconds. */
  checkMs: 60_000,
  /** Delay before a second check; only problems that both find are reported, in milliseconds. */
  recheckMs: 2_000,
} as const;
