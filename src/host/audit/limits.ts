/** The audit log. */
export const AUDIT = {
  /** Size at which the file is rotated, in bytes. */
  fileBytes: 10_485_760,
  /** Rotated files that are kept. */
  files: 5,
  /** A line's detail, in UTF-16 units; longer ones are cut. */
  detailChars: 1024,
  /** Lines per plugin and window, counted separately for events it can cause at will and for all others. */
  lines: 60,
  /** That window, in milliseconds. */
  window: 60_000,
  /** How long an operator's change waits for the line that announces it, in milliseconds. */
  writtenMs: 1_000,
  /** Lines that may be queued for the disk. */
  queue: 10_000,
} as const;
