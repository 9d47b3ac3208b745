/** Deadlines, limits and defaults of the runtime, in one table. Times are in milliseconds, sizes in the unit the name says. */
export const LIMITS = {
  /** Largest frame a worker may send, in UTF-16 units; checked before anything else. */
  frameChars: 524_288,
  /** Messages in one frame from a worker. */
  frameMessages: 4096,
  /** Messages batched into one frame, either way; further ones go in the next frame, so that both ends work at once. */
  batch: 64,
  /** Messages batched for a throttled plugin; that many with the largest options still fit in one string. */
  throttledBatch: 256,
  /** Depth of any JSON value that crosses the wire. */
  jsonDepth: 32,
  /** Nodes of any one JSON value that crosses the wire. */
  jsonNodes: 20_000,
  /** A call's options, in UTF-16 units of JSON. */
  optionsChars: 524_288,
  /** A driver's error message, in UTF-16 units; longer ones are cut. */
  messageChars: 4096,
  /** Interfaces on one endpoint. */
  interfaces: 256,
  /** Static routes in one join. */
  routes: 1024,
  /** Requests to the host that a worker may have pending. */
  requestsOpen: 256,
  /** Characters of requests that a plugin may have waiting for main-thread time before further ones are refused. */
  requestChars: 8_388_608,
  /** Requests that may wait inside a plugin's own worker before further ones are refused. */
  requestsWaiting: 4096,
  /** Reply characters a worker may request per second before it is terminated for flooding; acknowledgements may be forged. */
  answerCharsPerSecond: 67_108_864,
  /** Notices a worker may send per second before it is terminated for flooding. */
  noticesPerSecond: 20_000,
  /** Frames a worker may send per second before it is terminated for flooding. */
  framesPerSecond: 50_000,
  /** Characters of frames a worker may send per second before it is terminated for flooding. */
  frameCharsPerSecond: 268_435_456,
  /** Bytes a worker may write to stdout or stderr; the rest is cut off. */
  stdioBytes: 65_536,
  /** A store key, in bytes of UTF-8. */
  storeKeyBytes: 256,
  /** Errors below one that a plugin throws, by `cause` and `errors`: depth, and number per level. */
  thrownDepth: 4,
  thrownErrors: 8,
  /** Bytes that one `powers.random.bytes` call returns at most. */
  randomBytes: 65_536,
  /** Characters or bytes that one TextEncoder or TextDecoder call takes; the result lies outside the worker's heap limit. */
  textChars: 16_777_216,
  /** A URL or query string, in UTF-16 units. */
  urlChars: 1_048_576,
  /** Fields of one structured log line. */
  logFields: 32,
  /** What a changed plugin asks for beyond its previous version, in UTF-16 units; longer texts are cut. */
  differenceChars: 1024,
} as const;

/** Deadlines and budgets, in milliseconds. */
export const TIMES = {
  /** A driver call, unless the manifest or the policy says otherwise. */
  call: 5_000,
  /** `init`, unless the manifest or the policy says otherwise. */
  init: 3_000,
  /** Blocking outside any driver call: timer, microtask, continuation, `init`. */
  block: 1_000,
  /** A ping goes out this long before a deadline, so that at the deadline it is known whether the worker is blocked. */
  probe: 50,
  /** Interval between pings of an idle worker. */
  heartbeat: 2_000,
  /** Window over which a plugin's CPU share is measured; a plugin still over its quota one window later is terminated. */
  cpuWindow: 10_000,
  /** Interval between frames to a throttled plugin. */
  throttled: 100,
  /** Fraction of the host's main thread available to all plugins that owe it time; requests beyond it wait. */
  hostShare: 0.33,
  /** Main-thread time a plugin's requests may use at once, in milliseconds, before they wait. */
  hostBurst: 20,
  /** Main-thread time a plugin may owe for unasked frames, in milliseconds, before it is terminated for flooding. */
  hostDebt: 1_000,
  /** Main-thread time of all plugins, in milliseconds per second, up to which none is terminated for that. */
  hostLoad: 500,
  /** Most that one piece of work is charged, in milliseconds: the thread may have been stalled meanwhile. */
  hostPiece: 100,
  /** Main-thread time for reading a worker's frames that the host itself bears for each reply to a call, in milliseconds. */
  hostReply: 0.1,
  /** Deadline for a worker thread to be locked down and waiting. */
  spareReady: 20_000,
  /** Delay between taking a spare and starting the next one. */
  refill: 40,
  /** A spare still idle this long after it became ready warms up. */
  warmUp: 10,
  /** How long `close()` waits for threads that are being terminated. */
  threadEnd: 5_000,
  /** Bundling one plugin. */
  bundle: 15_000,
  /** Reading a data folder from end to end before it is used. */
  examine: 60_000,
  /** How long a command waits for another command that is changing the same policy. */
  policyLock: 5_000,
  /** Most of a plugin's time that may count as host work: three hung runs of a kernel tool. */
  hostWork: 30_000,
  /** How long `close()` waits for pending calls. */
  close: 5_000,
  /** File sizes must be stable this long before a change takes effect. */
  watchStable: 200,
  /** Interval between checks of where folders and policy path lead; a change takes effect when two checks in a row see it. */
  watchPlaces: 250,
  /** Window over which crashes are counted. */
  breakerWindow: 60_000,
  /** How long an open circuit breaker stays open before one more try. */
  breakerOpen: 30_000,
  /** First delay of the restart back-off; it doubles. */
  backoffFirst: 50,
  /** Longest delay of the restart back-off. */
  backoffMax: 5_000,
} as const;

/** Restoring a driver's networks in its next worker. */
export const REPLAY = {
  /** Networks restored concurrently while none is suspected of terminating the worker. */
  parallel: 32,
  /** A worker that ends this soon after it entered service may have been ended by a restored network. */
  youngMs: 1_000,
  /** The networks are then restored one by one, with this pause after each, and this much for all pauses together. */
  pauseMs: 50,
  pausesMs: 5_000,
  /** Workers in a row that may end during a restore before the plugin's circuit breaker counts another end. */
  workers: 8,
} as const;

/** Defaults of a plugin's own limits. */
export const DEFAULTS = {
  /** Crashes within the window that open the circuit breaker. */
  breakerCrashes: 5,
  /** Workers that one record's replay may end before the record is quarantined. */
  quarantineAfter: 2,
  /** Blocks within the circuit breaker's window after which a blocked call is terminated at the default deadline. */
  repeatBlocks: 3,
  memoryMb: 32,
  /** Share of one core that a plugin may use beyond the calls it serves, in per cent. */
  cpuPercent: 50,
  drivers: 8,
  /** Bytes of one input file of a bundle, of all input files, and of the output. */
  bundleFileBytes: 1_048_576,
  bundleInputBytes: 16_777_216,
  bundleOutputBytes: 8_388_608,
  bundleFiles: 4000,
} as const;

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
} as const;

/** Memory classes of workers, in mebibytes; each has a Piscina pool, created on first use. */
export const MEMORY_CLASSES = [16, 32, 64, 128, 256] as const;

/** The netlink permission: runs of `ip`, and the requests that wait for them. */
export const NETLINK = {
  /** One run of `ip`, in milliseconds. */
  runMs: 10_000,
  /** Output of one run, in bytes: a listing of some ten thousand links. */
  outputBytes: 67_108_864,
  /** Requests of one plugin that go into one run; the rest give way to other plugins. */
  wavePerPlugin: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;

/** The `firewall` permission. */
export const FIREWALL = {
  /** Requests checked together and applied in one transaction. */
  batch: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;

/** The process that holds published ports (the port holder). */
export const HOLDER = {
  /** TCP connections at a time, per port and in all; a full port refuses new ones, a full holder evicts from the fullest port. */
  connectionsPerPort: 512,
  connections: 2048,
  /** Connections waiting to be accepted, per port. */
  backlog: 511,
  /** Deadline for a container to accept a connection, in milliseconds. */
  connectMs: 10_000,
  /** Idle time after which the kernel probes a connection, in milliseconds. */
  keepAliveMs: 60_000,
  /** Concurrent UDP clients, per port and in all; at the limit the one idle longest is evicted. */
  flowsPerPort: 256,
  flows: 1024,
  /** Idle time after which a UDP client is forgotten, in milliseconds: the same as docker-proxy. */
  flowIdleMs: 90_000,
  /** Datagrams kept for a socket that is still being opened. */
  early: 16,
  /** Bytes that may wait in a UDP socket; further datagrams are dropped. */
  queueBytes: 1_048_576,
  /** Descriptors assumed where the system does not report a limit. */
  descriptors: 1024,
  /** Fault lines it logs per minute. */
  logLines: 20,
  /** JavaScript heap, in mebibytes. */
  heapMb: 128,
  /** Deadline for it to be ready, in milliseconds. */
  readyMs: 10_000,
  /** Deadline for its reply to an order, in milliseconds; then it is terminated. */
  answerMs: 5_000,
  /** It exits after this long without a port to hold, in milliseconds. */
  lingerMs: 10_000,
  /** Characters of one line of its output, and of its standard error that are kept for the message. */
  lineChars: 4096,
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

/** Host processes: the walled processes that hold workers under isolation "process" and "dedicated". */
export const WALLS = {
  /** Plugins that may share one host process. */
  tenants: 16,
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
  /** A host process that has closed its stream must have ended by then, in milliseconds. */
  closedMs: 500,
  /** Deadline for its main thread to answer a ping, in milliseconds. */
  pongMs: 2_000,
  /** Interval between pings, in milliseconds. */
  pingMs: 1_000,
  /** A terminated worker still there after this long makes its neighbours move to another process, in milliseconds. */
  leavingMs: 500,
  /** A terminated thread still inside a native call after this long ends its whole process, in milliseconds. */
  stuckMs: 5_000,
  /** Ends of shared host processes within `TIMES.breakerWindow` after which all plugins present at one run alone. */
  abortsUntilAlone: 2,
  /** Crashes of its own within the breaker window after which a plugin runs alone: it may harm others or be harmed. */
  crashesUntilAlone: 2,
  /** Niceness of the host process of a plugin that runs alone because of its crashes: a tenth of the others' weight. */
  niceness: 10,
  /** Tries to lower its priority, and milliseconds between them: the process has to start its session first. */
  lowerTries: 200,
  lowerMs: 5,
  /** Host processes starting at the same time. */
  starting: 3,
  /** Bytes of one frame from a host process: `LIMITS.frameChars` in UTF-8. */
  frameBytes: 1_572_872,
  /** Frames, and bytes of frames, read from one host process before the event loop turns to other work. */
  framesPerTick: 4096,
  bytesPerTick: 4_194_304,
  /** Bytes one host process may send per second before it is terminated: far above what is read from honest ones. */
  bytesPerSecond: 134_217_728,
  /** Frames per second it may send for workers that do not exist: those just terminated. */
  straysPerSecond: 50_000,
  /** Control messages per second it may send: mostly cells, of which an honest one reports at most a few hundred. */
  controlsPerSecond: 5_000,
  /** Bytes queued for a host process that does not read; beyond it the process is terminated. */
  unreadBytes: 134_217_728,
  /** Bytes of a host process's standard error that are kept for the message. */
  stderrBytes: 16_384,
  /** Interval between a host process's checks of the cells of silent workers, in milliseconds. */
  cellMs: 25,
  /** Interval between its reports of how busy its workers are, in milliseconds. */
  busyMs: 1_000,
} as const;

/** `bulkhead doctor`: limits of its trials, and deadlines for their ends. */
export const DOCTOR = {
  /** Memory class of the worker that runs the trials, in mebibytes. */
  workerMb: 32,
  /** Step and target of memory growth, in mebibytes: above the watched limit of a dedicated process, below the hard one. */
  growChunkMb: 8,
  growToMb: 256,
  /** Deadline for the growing process to have been terminated, in milliseconds. */
  grownMs: 5_000,
  /** Deadline for all trials of one process, in milliseconds. */
  answerMs: 20_000,
  /** Deadline for a host process to be gone after its platform process, in milliseconds. */
  endMs: 2_000,
  /** A process that stays on purpose exits by itself after this long, in milliseconds. */
  lingerMs: 15_000,
  /** Characters of one process's reply. */
  answerChars: 1_048_576,
} as const;

/** `bulkhead serve` checks what the machine's network does to Bulkhead's packets. */
export const NETWORK_WATCH = {
  /** Interval between two checks, in milliseconds. */
  lookMs: 60_000,
  /** What a first check finds is reported if it persists after this long, in milliseconds. */
  againMs: 2_000,
} as const;

/** The process that bundles one plugin, and the bounds of its reply. */
export const BUNDLER = {
  /** Concurrent bundler processes, each with its own esbuild; further bundles are queued. */
  atOnce: 2,
  /**
   * JavaScript heap of the bundler, in mebibytes: it holds the syntax tree of a full-sized bundle when SES would refuse
   * its text.
   */
  heapMb: 768,
  /** Go heap above which esbuild collects garbage more often, in mebibytes: soft. */
  esbuildMb: 512,
  /** Writable memory of each of the two processes, in mebibytes: hard, where the system has RLIMIT_DATA. */
  dataMb: 1280,
  /** Bytes of the bundler's standard error that are kept for the message. */
  stderrBytes: 16_384,
  /** Bytes of a bundle's source map. */
  mapBytes: 16_777_216,
  /** Bytes of a reply's header: outcome, message, list of files. */
  headerBytes: 4_194_304,
  /** How long to wait for the pipes of a killed bundler to close, in milliseconds. */
  reapMs: 2_000,
  /** Delay after a bundle before the next bundler process is started, and how long it is kept unused, in milliseconds. */
  afterMs: 200,
  aheadMs: 30_000,
} as const;

/** The audit log. */
export const AUDIT = {
  /** Size at which the file is rotated, in bytes. */
  fileBytes: 10_485_760,
  /** Rotated files that are kept. */
  files: 5,
  /** A line's detail, in UTF-16 units; longer ones are cut. */
  detailChars: 1024,
  /** Lines one plugin may cause in one window: this many of those it can cause at will, and this many of the others. */
  lines: 60,
  /** That window, in milliseconds. */
  window: 60_000,
  /** Lines that may be queued for the disk. */
  queue: 10_000,
} as const;

/** Serving Docker's remote plugin protocol. */
export const DOCKER = {
  /** Deadline for the reply to any request, in milliseconds: shorter than a person's patience. */
  answerMs: 10_000,
  /** A request's body, in bytes. */
  bodyBytes: 1_048_576,
  /** Concurrent requests of one network type; further ones are told to try again. */
  requests: 1024,
  /** Interval between checks for endpoints the engine forgot, in milliseconds: longer than the engine retries anything. */
  collectMs: 30_000,
  /** Delay between two tries of a call whose id another call holds, in milliseconds. */
  retryMs: 50,
  /** Deadline for an answer from a process that may still serve a socket at the path Bulkhead wants, in milliseconds. */
  probeMs: 500,
  /** Interval between checks that each socket is still in place, in milliseconds: an engine retries for fifteen seconds. */
  lookMs: 1_000,
  /** Deadlines for a request's header, and for the whole request, to arrive, in milliseconds. */
  headerMs: 10_000,
  bodyMs: 30_000,
  /** Interval between checks of connections for those deadlines, in milliseconds. */
  connectionCheckMs: 1_000,
  /** Concurrent connections of one network type; at the limit the one idle longest is evicted. */
  connections: 1_024,
  /** Deadline for pending requests when a type is withdrawn, in milliseconds; replies not read shortly after are cut off. */
  closeMs: 5_000,
  closeGraceMs: 500,
  /** How long an endpoint that no sandbox has joined counts as the engine's, in milliseconds; then it may be forgotten. */
  joinMs: 30_000,
  /** Deadline for a reply of the engine's own API, in milliseconds, and most bytes read of it. */
  engineMs: 500,
  engineBytes: 8_388_608,
  /** Bytes read of what a socket's server says about itself. */
  identityBytes: 4_096,
  /** Longest path of a Unix socket, in bytes. */
  pathBytes: 107,
} as const;

/** The data folder. */
export const DATA = {
  /** Size at which writing moves on to the other redo file, in bytes. */
  redoBytes: 4_194_304,
  /** Rows a command prints before it says how many more there are. */
  shownRows: 200,
} as const;

/** Load, for `bulkhead bench`. */
export const LOAD = {
  /** Concurrent units of work; each value is one line of the result. */
  inFlight: [1, 64, 256],
  /** Concurrent requests in an open loop; further ones wait, and count as late by that time. */
  open: 20_000,
  /** How long an open loop waits for pending requests, in milliseconds. */
  drainMs: 2_000,
  /** How late a timer may be, in milliseconds. */
  timerMs: 2,
  /** Up to this many requests per second, a metronome thread times an open loop; below, its start time, in milliseconds. */
  beatsPerSecond: 2_000,
  metronomeMs: 100,
  /** Length of one measured line, in seconds: default and maximum. */
  seconds: 2,
  secondsMax: 60,
} as const;
