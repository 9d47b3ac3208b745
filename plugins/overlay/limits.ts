/** The driver's bounds. `networks` and `hosts` keep values in the shared store within its 32 KiB. */
export const OVERLAY = {
  /** Networks of the cluster: one value lists them. */
  networks: 128,
  /** Hosts of one network: one value lists them. */
  hosts: 192,
  /** Characters of a network's name and of a host's. */
  nameChars: 32,
  /** Most bits by which the hosts' prefixes are longer than their subnet's. */
  prefixBits: 16,
  /** The first vxlan identifier, where the configuration names none. */
  firstVni: 4096,
  /** Tries of a write while other hosts write first; a failed one changes nothing. */
  attempts: 24,
  /** How often to check whether another host has finished making a network, and the pause between checks, in milliseconds. */
  makerWaits: 20,
  makerPauseMs: 100,
  /** Least MTU of a network with IPv6, in bytes. */
  leastMtu6: 1280,
  /** Pause before a watch that has ended is opened again, in milliseconds. */
  rewatchMs: 5_000,
} as const;
