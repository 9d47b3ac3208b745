/** The flight recorder. */
export const RECORDER = {
  /** Interval between writes, in milliseconds. */
  flushMs: 250,
  /** Entries kept per interval; further ones are counted. Failures have room of their own. */
  entries: 400,
  failures: 100,
  /** Size of each of the two files, in bytes. */
  fileBytes: 4_194_304,
  /** A call's arguments, in UTF-16 units; longer ones are left out, and the call cannot be replayed. */
  argsChars: 16_384,
  /** A request's arguments, which are only shown, and a message. */
  shownChars: 500,
} as const;
