/** Other programs that filter forwarded packets in the same namespace (engines, ufw, firewalld): our tables cannot undo their drops. */

/** What was changed in the neighbours, and what could not be, in words for the log. */
export interface NeighbourReport {
  /** What was added or removed: `ip FORWARD`, `firewalld zone trusted: bh-0a1b`. Empty if nothing had to be changed. */
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
