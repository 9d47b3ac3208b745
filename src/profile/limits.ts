/** Profiles as they are read: they come from a worker that may be hostile. */
export const PROFILE = {
  /** Longest profile that can be asked for, in seconds; the default. */
  maxSeconds: 60,
  seconds: 10,
  /** Nodes of the tree of calls, and samples. */
  nodes: 200_000,
  samples: 1_000_000,
  /** Functions that a reply lists; the profile has all of them. */
  functions: 50,
  /** A function's name and a file's, in UTF-16 units. */
  nameChars: 200,
  fileChars: 500,
  /** Deadline for reading one, in milliseconds, and memory for it, in mebibytes. */
  readMs: 20_000,
  readMb: 512,
} as const;
