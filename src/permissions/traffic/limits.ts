/** The traffic permission: what a shape may be, and the requests that wait. Grants narrow the first part. */
export const TRAFFIC = {
  /** Lowest rate, in bits per second. */
  rateMin: 8_000,
  /** Highest rate, in bits per second. */
  rateMax: 100_000_000_000,
  /** Smallest burst, in bytes; it also has to hold one packet of the link. */
  burstMin: 1_600,
  /** Largest burst, in bytes. */
  burstMax: 67_108_864,
  /** Burst of a rate that names none, as time at that rate, in milliseconds … */
  burstMs: 10,
  /** … and at least, in bytes. */
  burstLeast: 16_384,
  /** Time that a packet may wait for its turn at the rate, in milliseconds; what would wait longer is dropped. */
  queueMs: 100,
  /** Bytes that may always wait for their turn, however low the rate. */
  queueLeast: 32_768,
  /** Longest delay, and longest jitter, in microseconds. */
  delayMax: 10_000_000,
  /** Highest loss, in percent. */
  lossMax: 100,
  /** Fewest packets that one link's delay may hold. */
  delayedLeast: 1_000,
  /** Most packets that one link's delay may hold: the kernel's memory, which no container is charged for. */
  delayedMost: 20_000,
  /** Rate for which that number is computed where no rate is given, in bits per second. */
  delayedRate: 1_000_000_000,
  /** Requests judged together and carried out in one run. */
  batch: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;
