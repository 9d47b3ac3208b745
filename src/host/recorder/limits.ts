/** The flight recorder. */
export const RECORDER = {
  /** Interval between writes, in milliseconds. */
  flushMs: 250,
  /** Entries kept per interval; further ones are counted. Failures have room of their own. */
  entries: 400,
  failures: 100,
  /** Of both together, those of one plugin. */
  share: 200,
  /** How long the host's close waits for the disk, in milliseconds. */
  closeMs: 2000,
  /** Size of each of the two files, in bytes. */
  fileBytes: 4_194_304,
  /** Bytes that must be free on the file system, so that the recording takes none that the host's records need. */
  freeBytes: 67_108_864,
  /** A call's arguments, in UTF-16 units; longer ones are left out, and the call cannot be replayed. */
  argsChars: 16_384,
  /** A request's arguments, which are only shown, and a message. */
  shownChars: 500,
} as const;
