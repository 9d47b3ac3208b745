/** Name queries of a plugin's networks, and the process that serves them. */
export const RESOLVER = {
  /** Bytes of a query; longer ones are dropped. */
  queryBytes: 4_096,
  /** Bytes of an answer over UDP, and of one over TCP or from an upstream server. */
  datagramBytes: 4_096,
  messageBytes: 65_535,
  /** Part of a network's queries a second, and of those outstanding, that one of its clients may have. */
  clientShare: 0.25,
  /** Clients whose queries per second are counted; at the limit all counts are reset. */
  clients: 4_096,
  /** TCP connections at a time, per network and per client, and queries on one of them. */
  connections: 256,
  connectionsPerClient: 16,
  queriesPerConnection: 64,
  /** Idle time after which a TCP connection is closed, in milliseconds. */
  idleMs: 5_000,
  /** Deadline for a plugin's answer to a query, in milliseconds; a later one is dropped. */
  queryMs: 10_000,
  /** Longest time for which an answer may be given again without asking the plugin, in milliseconds from its query's arrival. */
  keepMs: 1_000,
  /** Answers of one address that are kept for that, and bytes of a kept one together with its query. */
  kept: 256,
  keptBytes: 1_024,
  /** Queries of one plugin that wait for its worker. */
  waiting: 512,
  /** Queries handed to a worker at once. */
  batch: 32,
  /** How long a worker's request for queries waits for the first one, in milliseconds. */
  pollMs: 2_000,
  /** Requests for queries of one plugin that wait at a time. */
  polls: 8,
  /** Questions of one plugin to upstream servers that wait at a time. */
  asking: 128,
  /** Deadline for an upstream server's reply, in milliseconds. */
  askMs: 5_000,
  /** Datagrams with a wrong id that one question ignores before it fails. */
  strangeReplies: 32,
  /** Bytes that may wait to be sent to one TCP client, and in a UDP socket. */
  queueBytes: 262_144,
  /** JavaScript heap of the process, in mebibytes. */
  heapMb: 128,
  /** Deadline for the process to be ready, and for its reply to an order, in milliseconds. */
  readyMs: 10_000,
  orderMs: 5_000,
  /** The process exits after this long without a network to serve, in milliseconds. */
  lingerMs: 60_000,
  /** Bytes of one line between the platform and the process. */
  lineBytes: 131_072,
  /** Fault lines it logs per minute. */
  logLines: 20,
} as const;
