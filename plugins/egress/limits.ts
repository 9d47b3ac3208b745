/** The driver's bounds. Those of the sockets and of the firewall are the host's. */
export const EGRESS = {
  /** Entries of a network's list, and characters of its text. */
  entries: 4_096,
  listChars: 262_144,
  /** Ports of one entry by name: each is an element of the firewall's set. */
  portsPerName: 16,
  /** Least time an address stays allowed after it was in an answer, in seconds. The firewall is asked for as much again beyond that. */
  floorSeconds: 5,
  /** Longest TTL that is kept and told to clients, in seconds: with twice the above, an address stays allowed for 300 after a look-up. */
  ttlSeconds: 290,
  /** For how long the host may give an answer again that does not change, in milliseconds: the most that it takes. */
  keepMs: 1_000,
  /** How long a name server's failure to find a name is remembered, in seconds. */
  absentSeconds: 10,
  /** How long it is remembered that no name server gave a usable reply, in milliseconds. */
  failedMs: 2_000,
  /** Look-ups of one network that are under way at a time: the host bounds those of all networks together. */
  lookUps: 32,
  /** Names that wait for one of those to end, and for how long before they are answered with SERVFAIL, in milliseconds. */
  waiting: 192,
  waitMs: 3_000,
  /** Names that one network remembers. */
  cache: 4_096,
  /** Addresses of one answer. */
  addresses: 32,
  /** Aliases that lead from a name to its addresses. */
  aliases: 16,
  /** Bytes of an answer over UDP: those that are longer are sent over TCP. */
  datagramBytes: 1_232,
  /** Clients of one network whose refusals are remembered, and destinations of each that are shown. */
  refusals: 1_024,
  refusedFlows: 8,
  /** How often refused packets are read for the log, in milliseconds. */
  readMs: 5_000,
  /** Lines about refusals in a second, per network. */
  logLines: 5,
} as const;
