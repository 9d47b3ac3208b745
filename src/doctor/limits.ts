/** `bulkhead doctor`: limits of its trials, and deadlines for their ends. */
export const DOCTOR = {
  /** Memory class of the worker that runs the trials, in mebibytes. */
  workerMb: 32,
  /** Step and target of memory growth, in mebibytes: above the watched limit of a dedicated process, below the hard one. */
  growChunkMb: 8,
  growToMb: 256,
  /** Deadline for the growing process to have been terminated, in milliseconds, and how often it is waited for until it has grown. */
  grownMs: 5_000,
  growWaits: 5,
  /** Deadline for all trials of one process, in milliseconds. */
  answerMs: 20_000,
  /** Deadline for a host process to be gone after its platform process, in milliseconds. */
  endMs: 2_000,
  /** A process that stays on purpose exits by itself after this long, in milliseconds. */
  lingerMs: 15_000,
  /** Characters of one process's reply. */
  answerChars: 1_048_576,
} as const;
