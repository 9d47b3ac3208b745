/** The driver's bounds. Values in the shared store have at most 32 KiB: `networks` and `hosts` keep within that. */
export const OVERLAY = {
  /** Networks of the cluster: one value lists them. */
  networks: 128,
  /** Hosts of one network: one value lists them. */
  hosts: 192,
  /** Characters of a network's name and of a host's. */
  nameChars: 32,
  /** Bits by which the hosts' prefixes are longer than their subnet, at most: one host after another takes the lowest. */
  prefixBits: 16,
  /** The first vxlan identifier, where the configuration names none. */
  firstVni: 4096,
  /** Tries of a write that other hosts overtake: each failed one changed nothing. */
  attempts: 24,
  /** How often it is looked whether another host has made a network that it began, and the pause between, in milliseconds. */
  makerWaits: 20,
  makerPauseMs: 100,
  /** Least MTU of a network with IPv6, in bytes. */
  leastMtu6: 1280,
  /** Pause before a watch that has ended is opened again, in milliseconds. */
  rewatchMs: 5_000,
} as const;
