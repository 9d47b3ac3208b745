/** Learning a grant. */
export const LEARNING = {
  /** Longest watch, in seconds; the default. */
  maxSeconds: 3600,
  seconds: 60,
  /** Different networks, ports and names that are noted of one plugin. */
  values: 4096,
} as const;
