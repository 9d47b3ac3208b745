/** Requests of the `firewall` permission. */
export const FIREWALL = {
  /** Requests checked together and applied in one transaction. */
  batch: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
  /** Addresses with a time to live that are allowed at a time, per bridge and family. */
  allowedPerBridge: 8_192,
  /** The same in one plugin's table, per family. */
  allowedPerTable: 65_536,
  /** Longest time to live of an allowed address, in seconds. */
  allowedSeconds: 86_400,
  /** An allowed address stays this much longer than asked for, in seconds, so that it outlives the answer that named it. */
  slackSeconds: 15,
  /** How often expired addresses are forgotten, in milliseconds. */
  sweepMs: 1_000,
  /** Refused flows that are kept per table and family, and how long each is kept after its last packet, in seconds. */
  refusedPerTable: 65_536,
  refusedSeconds: 300,
  /** Refused packets that are counted per bridge and family, with ports and as many without: per second, and in one burst. */
  refusedPerSecond: 20,
  refusedBurst: 200,
  /** Flows that `refused()` lists, the latest ones. */
  refusedListed: 1_024,
} as const;
