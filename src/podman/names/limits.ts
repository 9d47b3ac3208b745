/** Serving names on Podman's networks. */
export const NAMES = {
  /** Seconds for which a client may keep a container's address: it changes when the container is restarted. */
  ttlS: 10,
  /** Addresses in one answer, so that it fits a datagram. */
  addresses: 16,
  /** Queries passed on at a time; further ones are dropped, and their clients ask again. */
  forwards: 256,
  /** Deadline of each server that a query is passed on to, in milliseconds. */
  forwardMs: 3_000,
  /** Queries of one client that wait for another server's reply at a time; further ones are dropped. */
  forwardsPerClient: 64,
  /** Bytes of a query; longer ones are dropped, or end their connection. */
  queryBytes: 4_096,
  /** Connections at one address and of one client there, queries on one, and how long an idle one is kept, in milliseconds. */
  connections: 32,
  connectionsPerClient: 8,
  queriesPerConnection: 64,
  idleMs: 10_000,
  /** Bytes that may wait to be sent to one TCP client, and in a UDP socket. */
  queueBytes: 262_144,
  /** Pause before an address that could not be bound is tried again, in milliseconds. */
  rebindMs: 500,
  /** How long the first binding of an address may take: an IPv6 address is probed first, in milliseconds. */
  bindMs: 3_000,
  /** Heap of the thread, in mebibytes. */
  heapMb: 64,
  /** Pause before a thread that has ended is started again, in milliseconds. */
  restartMs: 1_000,
} as const;
