/** Learning a grant. */
export const LEARNING = {
  /** Longest watch, in seconds; the default. */
  maxSeconds: 3600,
  seconds: 60,
  /** Most different values of each kind (networks, parents, ports, …) that are noted per plugin. */
  values: 4096,
  /** Most networks in a proposed grant; where more would be needed, the granted ones stay. */
  networks: 64,
} as const;
