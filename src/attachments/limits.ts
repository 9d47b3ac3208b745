/** Attachments of containers. */
export const ATTACHMENTS = {
  /** Requests of executables that may be under way; further ones get `ERR_CONTROL_BUSY`. */
  requests: 256,
  /** Longest name or id of a platform, in UTF-16 units. */
  nameChars: 1_024,
  /** Ports of one container. */
  ports: 256,
  /** Interval between checks for containers that are gone, in milliseconds. */
  collectMs: 30_000,
  /** Attempts to choose addresses, the first included, where other containers take them meanwhile. */
  addressTries: 5,
  /** How long a call waits for another one on the same endpoint, and the pause between two tries, in milliseconds. */
  busyMs: 5_000,
  busyRetryMs: 50,
  /** Requests that found no daemon: files read at a time, and bytes of one. */
  missed: 4_096,
  missedBytes: 262_144,
} as const;
