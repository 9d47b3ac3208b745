/** Memory classes of workers, in mebibytes; each has a Piscina pool, created on first use. */
export const MEMORY_CLASSES = [16, 32, 64, 128, 256] as const;

/** Worker threads, in any process. */
export const THREADS = {
  /** Threads per Piscina pool: far more than a process can hold, so that Piscina never queues. */
  perPool: 4096,
  /** Workers being locked down at the same time: more would only delay each other. */
  starting: 4,
  /** Deadline for a worker thread to be locked down and waiting, in milliseconds. */
  readyMs: 20_000,
  /** Delay between taking a spare and starting the next one, in milliseconds. */
  refillMs: 40,
  /** How long `close()` waits for threads that are being terminated, in milliseconds. */
  endMs: 5_000,
  /** Bytes a worker may write to stdout or stderr; the rest is cut off. */
  stdioBytes: 65_536,
} as const;

/** Profiles of a worker. */
export const PROFILES = {
  /** Characters of one, as V8 writes it. */
  chars: 8_388_608,
  /** Characters of a part of one, as a host process sends it: with its quotes escaped it fits into a control message. */
  partChars: 24_000,
  /** How long after the end of its duration a profile may still arrive, in milliseconds. */
  lateMs: 15_000,
} as const;

/** Host processes: the walled processes that hold workers under isolation "process" and "dedicated". */
export const WALLS = {
  /** Plugins that may share one host process. */
  tenants: 16,
  /** Workers that a shared host process can hold in its life: each has a stream of its own, which is used once. */
  slots: 32,
  /** Writable memory of a shared host process, in mebibytes: hard, RLIMIT_DATA. */
  dataMbShared: 2048,
  /** The same for a dedicated one whose worker has the smallest memory class; twice the class is added. */
  dataMbDedicated: 320,
  /** Resident memory at which a dedicated one is terminated, in mebibytes; twice the memory class is added. */
  residentMbDedicated: 192,
  /** Resident memory at which a shared one is terminated, in mebibytes. */
  residentMbShared: 1024,
  /** Interval between checks of resident memory, in milliseconds. */
  watchMs: 250,
  /** Deadline for a host process to be ready, in milliseconds. */
  readyMs: 20_000,
  /** Deadline for a ready host process to open a requested worker, in milliseconds. */
  openMs: 20_000,
  /** Deadline for bubblewrap to report the child's PID, in milliseconds; then bubblewrap alone is killed. */
  tellsPidMs: 5_000,
  /**
   * How long a host process may run on after it closed a stream, in milliseconds; also how long the end of an ended worker's
   * stream is waited for. A worker that is out of memory closes its stream first, and frees its heap before its end is reported.
   */
  closedMs: 2_000,
  /** Deadline for its main thread to answer a ping, in milliseconds. */
  pongMs: 2_000,
  /** Interval between pings, in milliseconds. */
  pingMs: 1_000,
  /** A terminated worker still there after this long makes its neighbours move to another process, in milliseconds. */
  leavingMs: 500,
  /** A terminated thread still inside a native call after this long ends its whole process, in milliseconds. */
  stuckMs: 5_000,
  /** When this many shared host processes have ended within `RESTARTS.windowMs`, all plugins of the last one run alone. */
  abortsUntilAlone: 2,
  /** Crashes of its own within the breaker window after which a plugin runs alone: it may harm others or be harmed. */
  crashesUntilAlone: 2,
  /** Niceness of a spare, and of the host process of a plugin that runs alone because of its crashes: a tenth of the others' weight. */
  niceness: 10,
  /** Tries to lower its priority, and milliseconds between them: the process has to start its session first. */
  lowerTries: 200,
  lowerMs: 5,
  /** Time without a started host process or a placed plugin after which a spare is started, in milliseconds. */
  spareQuietMs: 1_000,
  /** Host processes starting at the same time. */
  starting: 3,
  /** Bytes of one frame from a host process: `LIMITS.frameChars` in UTF-8. */
  frameBytes: 1_572_872,
  /** Frames, and bytes of frames, read from one host process, over all its streams, before the event loop turns to other work. */
  framesPerTick: 4096,
  bytesPerTick: 4_194_304,
  /**
   * Bytes one host process may send per second, far above what is read from honest ones; beyond it the worker with the most is
   * terminated, or the process if that was its main thread or a worker without neighbours.
   */
  bytesPerSecond: 134_217_728,
  /** Control messages per second it may send: mostly cells, of which an honest one reports at most a few hundred. */
  controlsPerSecond: 5_000,
  /**
   * Bytes that may wait in the platform for one worker that does not read, before another frame; beyond it the worker is terminated.
   */
  unreadBytesPerWorker: 33_554_432,
  /** Below this many bytes for one worker, those for all workers of its process are not added up. */
  unreadBytesCounted: 1_048_576,
  /**
   * Bytes that may wait for all workers of a host process; beyond it the worker with the most is terminated. The same limit holds
   * for its main thread; beyond it the process is terminated.
   */
  unreadBytes: 134_217_728,
  /** Bytes of a host process's standard error that are kept for the message. */
  stderrBytes: 16_384,
  /** Interval between requests for the cells of a host process with silent workers, in milliseconds. */
  cellMs: 25,
  /** Interval between its reports of how busy its workers are, in milliseconds. */
  busyMs: 1_000,
} as const;
