/** Plugins' requests and frames on the host's main thread. */
export const HOST_TIME = {
  /** Fraction of the host's main thread available to all plugins that owe it time; requests beyond it wait. */
  share: 0.33,
  /** Main-thread time a plugin's requests may use at once, in milliseconds, before they wait. */
  burstMs: 20,
  /** Main-thread time a plugin may owe for unasked frames, in milliseconds, before it is terminated for flooding. */
  debtMs: 1_000,
  /** Main-thread time of all plugins, in milliseconds per second, up to which no plugin is terminated for flooding. */
  loadMs: 500,
  /** Most that is charged for one piece of work, in milliseconds: the thread may have been stalled meanwhile. */
  pieceMs: 100,
  /** Main-thread time for reading a worker's frames that the host itself bears for each reply to a call, in milliseconds. */
  replyMs: 0.1,
} as const;

/** Arguments of one call of a global that every plugin has. */
export const GLOBALS = {
  /** Bytes that one `powers.random.bytes` call returns at most. */
  randomBytes: 65_536,
  /** Characters or bytes that one TextEncoder or TextDecoder call takes; the result lies outside the worker's heap limit. */
  textChars: 16_777_216,
  /** A URL or query string, in UTF-16 units. */
  urlChars: 1_048_576,
} as const;

/** Changes that other programs make to Bulkhead's links, rules and forwarding. */
export const WATCH = {
  /** Debounce: changes within this time are handled by one check, in milliseconds. */
  gatherMs: 50,
  /** Pause between two checks, in milliseconds. */
  gapMs: 250,
  /** Interval of checks without any sign of a change, in milliseconds. */
  slowMs: 30_000,
  /** The same while no monitor reports changes, in milliseconds. */
  blindMs: 5_000,
  /** Repairs made at once when the same thing is undone again and again; further repairs are delayed. */
  atOnce: 3,
  /** First of those delays, in milliseconds; each is twice the one before. */
  pauseMs: 500,
  /** Longest of them, in milliseconds. */
  pauseMaxMs: 30_000,
  /** Quiet time after which the count starts again, in milliseconds. */
  quietMs: 60_000,
  /** Delay before a monitor that has ended is restarted, in milliseconds; it doubles each time. */
  monitorPauseMs: 1_000,
  /** Longest of those delays, in milliseconds. */
  monitorPauseMaxMs: 60_000,
  /** Characters kept of a monitor's line. */
  lineChars: 4_096,
} as const;

/** Requests that wait for events. */
export const EVENTS = {
  /** Pause after the host has refused one for a limit, in milliseconds; each further one is twice as long. */
  pauseMs: 100,
  pauseMaxMs: 5_000,
} as const;
