/** Serving Docker's remote plugin protocol. */
export const DOCKER = {
  /** Deadline for the reply to any request, in milliseconds. */
  answerMs: 10_000,
  /** A request's body, in bytes. */
  bodyBytes: 1_048_576,
  /** Concurrent requests of one network type; further ones get `ERR_DOCKER_BUSY`. */
  requests: 1024,
  /** Interval between checks for endpoints the engine forgot, in milliseconds: longer than the engine retries anything. */
  collectMs: 30_000,
  /** Delay between two tries of a call whose id another call holds, in milliseconds. */
  retryMs: 50,
  /** Deadline for an answer from a process that may still serve a socket at the path Bulkhead wants, in milliseconds. */
  probeMs: 500,
  /** Interval between checks that each socket is still in place, in milliseconds: an engine retries for fifteen seconds. */
  socketCheckMs: 1_000,
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
