/**
 * Every deadline, limit and default of the runtime, in one table. Times in milliseconds, sizes in the unit the name
 * says.
 */
export const LIMITS = {
  /** Largest frame a worker may send, in UTF-16 units; checked before anything else is looked at. */
  frameChars: 524_288,
  /** Messages in one frame from a worker. */
  frameMessages: 4096,
  /** Messages that wait for each other, either way; the next ones go in a frame of their own, so that both ends work at once. */
  batch: 64,
  /** Messages that wait for a plugin that is throttled: as many with the largest options are still one text. */
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
  /** Requests a worker may have open towards the host. */
  requestsOpen: 256,
  /** Characters of requests that may wait for their plugin's time on the platform's thread before further ones are refused. */
  requestChars: 8_388_608,
  /** Requests a plugin may have waiting inside its own worker before further ones are refused. */
  requestsWaiting: 4096,
  /** Characters of answers a worker may ask for in one second before it is ended for flooding; it may forge acknowledgements. */
  answerCharsPerSecond: 67_108_864,
  /** Notices a worker may send in one second before it is ended for flooding. */
  noticesPerSecond: 20_000,
  /** Frames a worker may send in one second before it is ended for flooding. */
  framesPerSecond: 50_000,
  /** Characters of frames a worker may send in one second before it is ended for flooding. */
  frameCharsPerSecond: 268_435_456,
  /** Bytes a worker may write to stdout or stderr before they are cut off. */
  stdioBytes: 65_536,
  /** A store key, in bytes of UTF-8. */
  storeKeyBytes: 256,
  /** Errors below one that a plugin throws, by `cause` and `errors`: how deep, and how many side by side. */
  thrownDepth: 4,
  thrownErrors: 8,
  /** Bytes one `powers.random.bytes` call gives. */
  randomBytes: 65_536,
  /** Text or bytes one TextEncoder or TextDecoder call takes; what they make lies outside the worker's heap limit. */
  textChars: 16_777_216,
  /** A URL or query string, in UTF-16 units. */
  urlChars: 1_048_576,
  /** Fields of one structured log line. */
  logFields: 32,
  /** What a changed plugin asks for in place of what its former version did, in UTF-16 units; longer texts are cut. */
  differenceChars: 1024,
} as const;

/** Deadlines and budgets, in milliseconds. */
export const TIMES = {
  /** A driver call, where neither manifest nor policy says otherwise. */
  call: 5_000,
  /** `init`, where neither manifest nor policy says otherwise. */
  init: 3_000,
  /** Blocking outside any driver call: timer, microtask, continuation, `init`. */
  block: 1_000,
  /** A ping goes out this long before a deadline, so that blocked is known at the deadline. */
  probe: 50,
  /** Idle workers are pinged this often. */
  heartbeat: 2_000,
  /** A plugin's share of the processor is counted over this window; over it for another one, it is ended. */
  cpuWindow: 10_000,
  /** Frames to a plugin that is over its share go out this often. */
  throttled: 100,
  /** Of the platform's own thread, for all plugins that owe it time: what their requests cost beyond it waits. */
  hostShare: 0.33,
  /** What its requests may cost there at once, in milliseconds. */
  hostBurst: 20,
  /** What it may cost there ahead of its part, in milliseconds, before it is ended for flooding, */
  hostDebt: 1_000,
  /** while all plugins together cost more than so many milliseconds in a second. */
  hostLoad: 500,
  /** The most that one piece of work is held to cost there, in milliseconds: the thread may have stood still meanwhile. */
  hostPiece: 100,
  /** Of the reading of a worker's frames that much is the platform's own affair for each answer to a call, in milliseconds. */
  hostReply: 0.1,
  /** A worker thread must be locked down and waiting by then. */
  spareReady: 20_000,
  /** So long after a spare was taken the next one is started. */
  refill: 40,
  /** A spare that has nothing to do by then, after it has become ready, rehearses. */
  rehearsal: 10,
  /** How long `close()` waits for threads that are being ended. */
  threadEnd: 5_000,
  /** Bundling one plugin. */
  bundle: 15_000,
  /** Reading a data folder from end to end before it is used. */
  examine: 60_000,
  /** How long a command waits for another one that changes the same policy. */
  policyLock: 5_000,
  /** So much of the time in which the host is at work for a plugin is not the plugin's: three programs of the kernel's that hang. */
  hostWork: 30_000,
  /** Pending calls at `close()`. */
  close: 5_000,
  /** File sizes must be stable this long before a change acts. */
  watchStable: 200,
  /** Between two looks at where the folders and the policy's path lead; a change acts when two in a row see it. */
  watchPlaces: 250,
  /** Crashes are counted over this window. */
  breakerWindow: 60_000,
  /** How long an open breaker stays open before one more try. */
  breakerOpen: 30_000,
  /** First pause of the restart back-off; it doubles. */
  backoffFirst: 50,
  /** Longest pause of the restart back-off. */
  backoffMax: 5_000,
} as const;

/** A driver's networks restored in its next worker. */
export const REPLAY = {
  /** Networks at the same time, while none is suspected of ending the worker. */
  parallel: 32,
  /** A worker that ends so soon after it came into service may have been ended by what was restored in it. */
  youngMs: 1_000,
  /** Then the networks are restored one by one, with so long a pause after each, but so long for all of them together. */
  pauseMs: 50,
  pausesMs: 5_000,
  /** So many workers in a row may end over it before the plugin's breaker counts another end. */
  workers: 8,
} as const;

/** Defaults of a plugin's own limits. */
export const DEFAULTS = {
  /** Crashes within the window that open the breaker. */
  breakerCrashes: 5,
  /** Kills of one record's replay before it is quarantined. */
  quarantineAfter: 2,
  /** Blocks within the breaker's window after which the default deadline ends a blocked call. */
  repeatBlocks: 3,
  memoryMb: 32,
  /** Share of one core a plugin may use beyond the calls it serves, in per cent. */
  cpuPercent: 50,
  drivers: 8,
  /** Bytes of a bundle's one input file, of all of them, and of the output. */
  bundleFileBytes: 1_048_576,
  bundleInputBytes: 16_777_216,
  bundleOutputBytes: 8_388_608,
  bundleFiles: 4000,
} as const;

/** What a manifest or a policy may be and may ask for. */
export const DOCUMENT_LIMITS = {
  /** A manifest, in bytes of UTF-8. */
  manifestBytes: 65_536,
  /** A policy, in bytes of UTF-8. */
  policyBytes: 1_048_576,
  /** Depth of either. */
  depth: 32,
  /** JSON values in either: one that holds nothing but mistakes is refused within 50 ms. */
  nodes: 3_000,
  /** The longest deadline that can be asked for or granted, in milliseconds. */
  timeoutMs: 600_000,
  /** Bounds of `limits.memoryMb`. */
  memoryMbMin: 4,
  memoryMbMax: 256,
  /** Bounds of `limits.cpuPercent`. */
  cpuPercentMin: 1,
  cpuPercentMax: 100,
  /** The most drivers one plugin may register, and the most network types it may declare. */
  driversMax: 64,
} as const;

/** The memory classes workers come in, in mebibytes; a Piscina pool each, made on first use. */
export const MEMORY_CLASSES = [16, 32, 64, 128, 256] as const;

/** The netlink permission: its runs of `ip`, and what waits for them. */
export const NETLINK = {
  /** One run of `ip`, in milliseconds. */
  runMs: 10_000,
  /** What one run may print, in bytes: a look at some ten thousand links. */
  outputBytes: 67_108_864,
  /** Requests of one plugin that go into one run; the rest let others go first. */
  wavePerPlugin: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;

/** The firewall permission. */
export const FIREWALL = {
  /** Requests judged together, and programmed in one transaction. */
  batch: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;

/** The process that holds published ports. */
export const HOLDER = {
  /** TCP connections it forwards at a time, of one port and in all; a full house takes from the port that has most. */
  connectionsPerPort: 512,
  connections: 2048,
  /** Connections that wait to be accepted, of one port. */
  backlog: 511,
  /** A container must accept a connection by then, in milliseconds. */
  connectMs: 10_000,
  /** A connection nobody has spoken on for so long is probed by the kernel, in milliseconds. */
  keepAliveMs: 60_000,
  /** UDP clients at a time, of one port and in all; the one idle longest makes room. */
  flowsPerPort: 256,
  flows: 1024,
  /** A UDP client not heard of for so long is forgotten, in milliseconds: as docker-proxy does. */
  flowIdleMs: 90_000,
  /** Datagrams kept for a socket that is being opened. */
  early: 16,
  /** Bytes that may wait in a UDP socket; further datagrams are lost. */
  queueBytes: 1_048_576,
  /** Descriptors counted on where the system does not say. */
  descriptors: 1024,
  /** Lines of faults it tells in a minute. */
  logLines: 20,
  /** Heap of its JavaScript, in mebibytes. */
  heapMb: 128,
  /** It must be ready by then, in milliseconds. */
  readyMs: 10_000,
  /** It must have answered an order by then, in milliseconds, or is ended. */
  answerMs: 5_000,
  /** Without a port to hold it ends after so long, in milliseconds. */
  lingerMs: 10_000,
  /** Characters of one line it may say, and of what it wrote to standard error that are kept for the message. */
  lineChars: 4096,
} as const;

/** Changes that others make to our links, rules and forwarding. */
export const WATCH = {
  /** Changes within this time are looked at together, in milliseconds. */
  gatherMs: 50,
  /** Between two looks, in milliseconds. */
  gapMs: 250,
  /** A look without any sign of a change, in milliseconds. */
  slowMs: 30_000,
  /** The same while nothing tells of changes, in milliseconds. */
  blindMs: 5_000,
  /** What is undone again and again is put right at once this many times; then with pauses. */
  atOnce: 3,
  /** The first of those pauses, in milliseconds; each is twice the one before. */
  pauseMs: 500,
  /** The longest of them, in milliseconds. */
  pauseMaxMs: 30_000,
  /** After this long without, the count begins again, in milliseconds. */
  quietMs: 60_000,
  /** Before a monitor that has ended is started again, in milliseconds; each time twice as long. */
  monitorPauseMs: 1_000,
  /** The longest of those pauses, in milliseconds. */
  monitorPauseMaxMs: 60_000,
  /** What is kept of a monitor's line, in characters. */
  lineChars: 4_096,
} as const;

/** Host processes: the walled processes that hold workers under isolation "process" and "dedicated". */
export const WALLS = {
  /** Plugins that share one host process. */
  tenants: 16,
  /** Writable memory of a shared one, in mebibytes: hard, RLIMIT_DATA. */
  dataMbShared: 2048,
  /** The same of a dedicated one whose worker is of the smallest memory class; twice the class is added. */
  dataMbDedicated: 320,
  /** Resident memory at which a dedicated one is ended, in mebibytes; twice the memory class is added. */
  residentMbDedicated: 192,
  /** Resident memory at which a shared one is ended, in mebibytes. */
  residentMbShared: 1024,
  /** How often resident memory is looked at, in milliseconds. */
  watchMs: 250,
  /** A host process must be ready by then, in milliseconds. */
  readyMs: 20_000,
  /** A worker asked of one that is ready must be there by then, in milliseconds. */
  openMs: 20_000,
  /** Bubblewrap tells which process it has started by then, in milliseconds, or is ended without that one. */
  tellsPidMs: 5_000,
  /** One that has closed its stream must have ended by then, in milliseconds. */
  closedMs: 500,
  /** Its main thread must answer a ping by then, in milliseconds. */
  pongMs: 2_000,
  /** How often it is pinged, in milliseconds. */
  pingMs: 1_000,
  /** One that is still there after this long makes its neighbours move to another process, in milliseconds. */
  leavingMs: 500,
  /** A thread that is to end and is still inside a native call after this long takes its whole process along, in milliseconds. */
  stuckMs: 5_000,
  /** Ends of shared host processes within `TIMES.breakerWindow` after which all that were present live alone. */
  abortsUntilAlone: 2,
  /** Crashes of its own within the breaker's window after which a plugin lives alone: one that harms its neighbours, or is harmed. */
  crashesUntilAlone: 2,
  /** Niceness of the host process of a plugin that lives alone because of its crashes: a tenth of the others' weight. */
  niceness: 10,
  /** How often it is tried to lower it, and every how many milliseconds: it has yet to begin its session. */
  lowerTries: 200,
  lowerMs: 5,
  /** Host processes being started at the same time. */
  starting: 3,
  /** Bytes of one frame from a host process: `LIMITS.frameChars` in UTF-8. */
  frameBytes: 1_572_872,
  /** Frames, and their bytes, that are read from one host process before other work has its turn. */
  framesPerTick: 4096,
  bytesPerTick: 4_194_304,
  /** Bytes one host process may send in a second before it is ended: far above what is read of honest ones. */
  bytesPerSecond: 134_217_728,
  /** Frames it may send in a second for workers that are not there: those that have just been ended. */
  straysPerSecond: 50_000,
  /** Control messages it may send in a second: mostly cells, of which an honest one tells at most a few hundred. */
  controlsPerSecond: 5_000,
  /** Bytes waiting for a host process that does not read; then it is ended. */
  unreadBytes: 134_217_728,
  /** Bytes of a host process's standard error that are kept for the message. */
  stderrBytes: 16_384,
  /** How often a host process looks at the cells of workers that keep silent, in milliseconds. */
  cellMs: 25,
  /** How often it tells how busy its workers are, in milliseconds. */
  busyMs: 1_000,
} as const;

/** `bulkhead doctor`: what is tried, and how long an end may take. */
export const DOCTOR = {
  /** Memory class of the worker that tries, in mebibytes. */
  workerMb: 32,
  /** What is grown by, and up to, in mebibytes: past the watched limit of a dedicated host process, short of the hard one. */
  growChunkMb: 8,
  growToMb: 256,
  /** The one that grows must have been ended by then, in milliseconds. */
  grownMs: 5_000,
  /** All that is tried in one process must be done by then, in milliseconds. */
  answerMs: 20_000,
  /** A host process whose platform is gone must be gone by then, in milliseconds. */
  endMs: 2_000,
  /** A process that stays on purpose ends by itself after this long, in milliseconds. */
  lingerMs: 15_000,
  /** Characters one process may answer. */
  answerChars: 1_048_576,
} as const;

/** `bulkhead serve` looks at what the machine's network does to packets of ours. */
export const NETWORK_WATCH = {
  /** From one look to the next, in milliseconds. */
  lookMs: 60_000,
  /** What a first look has found is told if it is still so after this long, in milliseconds. */
  againMs: 2_000,
} as const;

/** The process that bundles one plugin, and what it may answer. */
export const BUNDLER = {
  /** Bundler processes at one time, each with an esbuild of its own; further bundles wait their turn. */
  atOnce: 2,
  /**
   * Heap of the bundler's JavaScript, in mebibytes: it holds the syntax tree of a full-sized bundle when SES would
   * refuse its text.
   */
  heapMb: 768,
  /** Go heap at which esbuild collects harder, in mebibytes: soft. */
  esbuildMb: 512,
  /** Writable memory of each of the two processes, in mebibytes: hard, where the system has RLIMIT_DATA. */
  dataMb: 1280,
  /** Bytes of the bundler's standard error that are kept for the message. */
  stderrBytes: 16_384,
  /** Bytes of a bundle's source map. */
  mapBytes: 16_777_216,
  /** Bytes of an answer's header: outcome, message, list of files. */
  headerBytes: 4_194_304,
  /** How long to wait for the pipes of a killed bundler to close. */
  reapMs: 2_000,
  /** How long after a bundle the next bundler process is started, and how long it is kept if nobody wants it. */
  afterMs: 200,
  aheadMs: 30_000,
} as const;

/** The audit log. */
export const AUDIT = {
  /** Size at which the file is put aside, in bytes. */
  fileBytes: 10_485_760,
  /** Files put aside that are kept. */
  files: 5,
  /** A line's detail, in UTF-16 units; longer ones are cut. */
  detailChars: 1024,
  /** Lines one plugin may cause in one window, of those it can cause at will and of the others each. */
  lines: 60,
  /** That window, in milliseconds. */
  window: 60_000,
  /** Lines that may wait for the disk. */
  queue: 10_000,
} as const;

/** Docker's remote plugin protocol, served. */
export const DOCKER = {
  /** Every request is answered by then, in milliseconds: shorter than a person's patience. */
  answerMs: 10_000,
  /** A request's body, in bytes. */
  bodyBytes: 1_048_576,
  /** Requests of one network type that are worked on at one time; further ones are told to come again. */
  requests: 1024,
  /** How often endpoints are looked for that the engine has forgotten, in milliseconds: longer than it tries anything again. */
  collectMs: 30_000,
  /** Between two tries of a call whose id another one holds, in milliseconds. */
  retryMs: 50,
  /** Whoever may still answer on a socket that stands where ours shall stand must do so by then, in milliseconds. */
  probeMs: 500,
  /** How often it is looked whether each socket is still in its place, in milliseconds: an engine tries for fifteen seconds. */
  lookMs: 1_000,
  /** A request's header, and the whole of it, must have arrived by then, in milliseconds. */
  headerMs: 10_000,
  bodyMs: 30_000,
  /** How often connections are looked at for that, in milliseconds. */
  connectionCheckMs: 1_000,
  /** Connections of one network type at one time; the one that has been idle longest makes room for a further one. */
  connections: 1_024,
  /** Requests under way when a type is withdrawn are answered by then, in milliseconds; what has not been read shortly after is cut off. */
  closeMs: 5_000,
  closeGraceMs: 500,
  /** An endpoint that no sandbox has joined yet is the engine's for that long, in milliseconds; after that it may be forgotten. */
  joinMs: 30_000,
  /** What the engine's own API says is waited for that long, in milliseconds, and read up to so many bytes. */
  engineMs: 500,
  engineBytes: 8_388_608,
  /** What whoever serves a socket says of itself, in bytes. */
  identityBytes: 4_096,
  /** Longest path of a Unix socket, in bytes. */
  pathBytes: 107,
} as const;

/** The data folder. */
export const DATA = {
  /** A redo file that has grown to this many bytes is succeeded by the other one. */
  redoBytes: 4_194_304,
  /** Version of what is written; another one is not opened. */
  version: 1,
  /** Rows that a command prints before it says how many more there are. */
  shownRows: 200,
} as const;

/** Load, for `bulkhead bench`. */
export const LOAD = {
  /** Units of work under way at a time, a line for each. */
  inFlight: [1, 64, 256],
  /** Requests under way in an open loop; further ones wait, and are late by that. */
  open: 20_000,
  /** How long an open loop waits for what it has offered, in milliseconds. */
  drainMs: 2_000,
  /** How late a timer may be, in milliseconds. */
  timerMs: 2,
  /** Up to this many requests a second, a thread of its own beats the time of an open loop; the most a metronome takes to start, in milliseconds. */
  beatsPerSecond: 2_000,
  metronomeMs: 100,
  /** One line's length, in seconds: default and most. */
  seconds: 2,
  secondsMax: 60,
} as const;
