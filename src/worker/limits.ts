/** What a worker bounds by itself. */
export const WORKER = {
  /** A spare still idle this long after it became ready warms up, in milliseconds. */
  warmUpMs: 10,
  /** How long a worker that has crashed waits for the platform to terminate it, in milliseconds. */
  lastWordsMs: 1_000,
  /** Requests that may wait inside a plugin's own worker before further ones are refused. */
  requestsWaiting: 4096,
} as const;
