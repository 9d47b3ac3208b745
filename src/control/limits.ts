/** The control socket. */
export const CONTROL = {
  /** Longest path of a Unix socket, in bytes. */
  pathBytes: 107,
  /** A request's body, in bytes. */
  bodyBytes: 262_144,
  /** Levels of arrays and objects in it. */
  bodyDepth: 64,
  /** Concurrent connections; further ones are closed. */
  connections: 128,
  /** Clients that may follow the events at one time; further ones get `ERR_CONTROL_BUSY`. */
  streams: 64,
  /** Driver calls that may be under way through one socket; further ones get `ERR_CONTROL_BUSY`. */
  calls: 64,
  /** Deadlines for a request's header, and for the whole request, to arrive, in milliseconds. */
  headerMs: 5_000,
  requestMs: 10_000,
  /** Interval between checks of connections for those deadlines, in milliseconds. */
  connectionCheckMs: 1_000,
  /** How long an idle connection is kept, in milliseconds. */
  idleMs: 5_000,
  /** How long pending replies may take after `close()`, in milliseconds. */
  closeMs: 1_000,
  /** Lines of plugins that are kept for clients, and as many other lines and events; all texts of either together, in UTF-16 units. */
  events: 10_000,
  eventChars: 4_194_304,
  /** One event's or log line's text, in UTF-16 units; longer ones lose their fields. */
  eventLine: 16_384,
  /** Most that is written to a stream at once, in UTF-16 units. */
  chunkChars: 65_536,
  /** Age up to which a reading of the metrics is given again, in milliseconds. */
  metricsMs: 1_000,
  /** Interval between comments on a quiet stream, in milliseconds: they show a client that the host lives. */
  beatMs: 15_000,
  /**
   * The longest reply that a command reads, in bytes, and its deadline, in milliseconds, which exceeds any call's. `readMs`: for requests
   * that change nothing; `quickMs`: for the quick client, after which the ordinary client asks.
   */
  replyBytes: 67_108_864,
  replyMs: 120_000,
  readMs: 10_000,
  quickMs: 2_000,
} as const;
