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
  lingerMs: 60_000,
  /** Bytes of the longest line of its output, and characters of its standard error that are kept for the message. */
  lineBytes: 4096,
} as const;
