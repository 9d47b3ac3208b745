/** Other programs that filter forwarded packets in the same namespace: engines, ufw, firewalld. A table of ours cannot undo their drops. */

/** What was done about the neighbours, and what could not be; each in words for a log. */
export interface NeighbourReport {
  /** What was put in or taken out: `ip FORWARD`, `firewalld zone trusted: bh-0a1b`. Empty: nothing had to be changed. */
  readonly changed: readonly string[];
  /** What could not be done, and the command that does it. The same reason always has the same words. */
  readonly problems: readonly string[];
}

/** The neighbours in one namespace. No method rejects: failures are in the report. */
export interface Neighbours {
  /** Makes each neighbour accept the packets that our tables have marked, and traffic on these bridges of ours. Idempotent. */
  admit(bridges: readonly string[]): Promise<NeighbourReport>;
  /** Undoes everything that `admit` did. */
  leave(): Promise<NeighbourReport>;
}

/** For a namespace without neighbours. */
export const NO_NEIGHBOURS: Neighbours = {
  admit: async () => ({ changed: [], problems: [] }),
  leave: async () => ({ changed: [], problems: [] }),
};
