/** The spawner, and the processes that it starts. */
export const SPAWNER = {
  /** JavaScript heap of the spawner, in mebibytes. */
  heapMb: 32,
  /** Deadline for it to be up, in milliseconds; until then, and while there is none, the platform starts processes itself. */
  upMs: 5_000,
  /** While a process is being started, how long the spawner may report nothing, in milliseconds; then it is replaced. */
  startMs: 10_000,
  /** Delay before a spawner that has ended is replaced, in milliseconds; doubled up to `againMostMs` while none comes up. */
  againMs: 1_000,
  againMostMs: 60_000,
  /** How long its last user waits for its end, in milliseconds. */
  endMs: 2_000,
} as const;
