/** The data folder. */
export const DATA = {
  /** Deadline for reading a folder that lmdb kept from end to end, in milliseconds. */
  examineMs: 60_000,
  /** Bytes by which a log grows. */
  stepBytes: 262_144,
  /** Allocated bytes of a log that are kept for what must not fail: deletions, leaves, the close. */
  reserveBytes: 262_144,
  /** Estimated bytes of the writes of one turn. */
  groupBytes: 65_536,
  /** Size at which a generation of the log ends, in bytes, unless its rows need more. */
  rotateBytes: 4_194_304,
  /** The same on a file system with less than `roomyBytes` free. */
  rotateBytesSmall: 524_288,
  roomyBytes: 67_108_864,
  /** Delay before a failed rotation is retried, in milliseconds. */
  retryMs: 1000,
  /** How long closing waits for the disk, in milliseconds. */
  closeMs: 5_000,
  /** Delay before a full disk is checked again, in milliseconds. */
  fullMs: 200,
  /** How long the flush of a folder waits for a free descriptor, and how often it looks, in milliseconds. */
  descriptorMs: 30_000,
  descriptorPollMs: 20,
  /** Tries to take a lock before the folder counts as in use, and the pause between two of them, in milliseconds. */
  lockTries: 5,
  lockRetryMs: 50,
} as const;
