/** Other programs that filter forwarded packets in the same namespace: engines, ufw, firewalld. A table of ours cannot undo their drops. */

/** What was done about them, and what could not be; each in words for a log. */
export interface NeighbourReport {
  /** What was put in, or taken out: `ip FORWARD`, `firewalld zone trusted: bh-0a1b`. Empty: all was as it had to be. */
  readonly changed: readonly string[];
  /** What could not be done, and the command that does it. The same words for the same reason. */
  readonly problems: readonly string[];
}

/** Never rejects: what goes wrong with a neighbour is in the report. */
export interface Neighbours {
  /** Makes each let pass what our tables have marked, and whatever is on these bridges of ours. Harmless to repeat. */
  admit(bridges: readonly string[]): Promise<NeighbourReport>;
  /** Takes all of it back. */
  leave(): Promise<NeighbourReport>;
}

/** Where there are none. */
export const NO_NEIGHBOURS: Neighbours = {
  admit: async () => ({ changed: [], problems: [] }),
  leave: async () => ({ changed: [], problems: [] }),
};
