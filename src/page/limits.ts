/** The figures of the page. */
export const PAGE = {
  /** Concurrent connections; further ones are closed. */
  connections: 64,
  /** Deadlines for a request's header, and for the whole request, to arrive, in milliseconds. */
  headerMs: 5_000,
  requestMs: 10_000,
  /** A connection on which nothing moves for so many milliseconds is closed; an event stream beats more often. */
  idleMs: 30_000,
  /** Interval between two samples of the charts, in milliseconds. */
  sampleMs: 5_000,
  /** Samples that are kept: five minutes. */
  samples: 60,
  /** Plugins with a chart. */
  charts: 512,
  /** How far a request's time may be from the host's, in milliseconds: the browser may be on another machine. */
  signedMs: 300_000,
  /** Requests whose signatures are remembered, against replays, while their time is still accepted. */
  signatures: 100_000,
  /** Delay before the page is served again after a failure, in milliseconds. */
  retryMs: 10_000,
  /** Bytes of the secret in its token. */
  tokenBytes: 32,
} as const;
