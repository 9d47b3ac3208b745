/** Bounds of a manifest or a policy, and of what either may ask for. */
export const DOCUMENT_LIMITS = {
  /** A manifest, in bytes of UTF-8. */
  manifestBytes: 65_536,
  /** A policy, in bytes of UTF-8. */
  policyBytes: 1_048_576,
  /** Depth of either. */
  depth: 32,
  /** JSON values in either; a document full of mistakes is refused within 50 ms. */
  nodes: 3_000,
  /** Longest deadline that can be requested or granted, in milliseconds. */
  timeoutMs: 600_000,
  /** Bounds of `limits.memoryMb`. */
  memoryMbMin: 4,
  memoryMbMax: 256,
  /** Bounds of `limits.cpuPercent`. */
  cpuPercentMin: 1,
  cpuPercentMax: 100,
  /** Most drivers that one plugin may register, and most network types that it may declare. */
  driversMax: 64,
  /** What a changed plugin asks for beyond its previous version, in UTF-16 units; longer texts are cut. */
  differenceChars: 1024,
  /** How long a command waits for another command that is changing the same policy, in milliseconds. */
  policyLockMs: 5_000,
} as const;

/** A plugin's limits and deadlines where neither manifest nor policy sets them. */
export const DEFAULTS = {
  memoryMb: 32,
  /** Share of one core that a plugin may use beyond the calls it serves, in per cent. */
  cpuPercent: 50,
  drivers: 8,
  /** Deadline of a driver call, in milliseconds. */
  callMs: 5_000,
  /** Deadline of `init`, in milliseconds. */
  initMs: 3_000,
} as const;
