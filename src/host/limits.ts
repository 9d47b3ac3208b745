/** Limits of the host and of the life cycle of its plugins. */
export const HOST = {
  /** How long `close()` waits for pending calls, in milliseconds. */
  closeMs: 5_000,
  /** File sizes must be stable this many milliseconds before a change takes effect. */
  watchStableMs: 200,
  /** Interval between checks of where folders and policy path lead, in milliseconds; a change takes effect when two checks in a row see it. */
  watchPlacesMs: 250,
  /** Crashes within the window that open the circuit breaker. */
  breakerCrashes: 5,
  /** Blocks within the circuit breaker's window after which a blocked call is terminated at the default deadline. */
  repeatBlocks: 3,
} as const;

/** What an operator can see of a running host. */
export const OPERATOR = {
  /** Lines of plugins that are kept for a control socket that is opened later, and as many other lines of the log. */
  keptLines: 200,
  /** Longest message of such a line, in UTF-16 units. */
  lineChars: 4_096,
} as const;

/** Restoring a driver's networks in its next worker. */
export const REPLAY = {
  /** Networks restored concurrently while none is suspected of terminating the worker. */
  parallel: 32,
  /** A worker that ends this soon after it entered service may have been ended by a restored network. */
  earlyMs: 1_000,
  /** Pause after each network while they are restored one by one, in milliseconds. */
  pauseMs: 50,
  /** All these pauses together, in milliseconds. */
  pausesMs: 5_000,
  /** Workers in a row that may end during a restore before the plugin's circuit breaker counts another end. */
  workers: 8,
  /** Workers that one record's replay may end before the record is quarantined. */
  quarantineAfter: 2,
} as const;
