/** Requests of the `firewall` permission. */
export const FIREWALL = {
  /** Requests checked together and applied in one transaction. */
  batch: 64,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;
