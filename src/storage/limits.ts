/** The data folder. */
export const DATA = {
  /** Size at which writing moves on to the other redo file, in bytes. */
  redoBytes: 4_194_304,
  /** Deadline for reading a data folder from end to end before it is used, in milliseconds. */
  examineMs: 60_000,
} as const;
