/** Serving Podman. */
export const PODMAN = {
  /** Deadline for the answer to an executable, in milliseconds: a setup takes five calls of the driver and the kernel. */
  answerMs: 30_000,
  /** How long a container must have been seen without a process before it counts as forgotten, in milliseconds. */
  abandonedMs: 20_000,
  /** Prefix lengths of the subnets that are chosen for a network without any. */
  subnetBits: { 4: 24, 6: 64 },
  /** Tries to find a subnet that nothing uses. */
  subnetTries: 256,
  /** Files of networks that are read, and bytes of one. */
  networkFiles: 4_096,
  networkFileBytes: 262_144,
} as const;
