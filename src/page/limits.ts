/** The figures of the page. */
export const PAGE = {
  /** Concurrent connections; further ones are closed. */
  connections: 64,
  /** Deadlines for a request's header, and for the whole request, to arrive, in milliseconds. */
  headerMs: 5_000,
  requestMs: 10_000,
  /** Interval between two samples of the charts, in milliseconds. */
  sampleMs: 5_000,
  /** Samples that are kept: five minutes. */
  samples: 60,
  /** Plugins with a chart. */
  charts: 512,
  /** Bytes of the secret in its token. */
  tokenBytes: 32,
} as const;
