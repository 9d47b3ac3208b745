/** How a namespace tells that somebody has changed its rules. */

export interface RuleEvents {
  /** Somebody else has changed rules, perhaps not ours. `who`: in words. */
  changed(who: string): void;
  /** Nothing is told any more; it is tried again. `why`: in words. */
  blind(why: string): void;
}

/** What tells of them, until it is stopped. */
export interface RuleWatch {
  /** False while changes can pass unseen. */
  readonly alive: boolean;
  stop(): Promise<void>;
}
