/** Notifications that another program has changed a namespace's rules. */

export interface RuleEvents {
  /** Another program has changed rules, perhaps not ours. `who`: in words. */
  changed(who: string): void;
  /** Notifications have stopped; the watch tries to get them back. `why`: in words. */
  blind(why: string): void;
}

/** Delivers notifications until it is stopped. */
export interface RuleWatch {
  /** False while changes can pass unseen. */
  readonly alive: boolean;
  stop(): Promise<void>;
}
