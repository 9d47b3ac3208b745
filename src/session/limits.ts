/** Limits and deadlines of a session with one worker. */
export const SESSION = {
  /** Blocking outside any driver call: timer, microtask, continuation, `init`; in milliseconds. */
  blockMs: 1_000,
  /**
   * Time without an acknowledgement after which a worker counts as blocked, in milliseconds; also the delay before an expired
   * call is judged.
   */
  probeMs: 50,
  /** Interval between pings of an idle worker, in milliseconds. */
  heartbeatMs: 2_000,
  /** Window over which a plugin's CPU share is measured, in milliseconds; a plugin still over its quota one window later is terminated. */
  cpuWindowMs: 10_000,
  /** Most of a plugin's time that may count as host work, in milliseconds: three hung runs of a kernel tool. */
  hostWorkMs: 30_000,
  /** Interval between frames to a throttled plugin, in milliseconds. */
  throttledMs: 100,
  /** Messages batched for a throttled plugin; that many with the largest options still fit in one string. */
  throttledBatch: 256,
  /** Characters of requests that a plugin may have waiting for main-thread time before further ones are refused. */
  requestChars: 8_388_608,
} as const;
