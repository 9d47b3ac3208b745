/** Notifications of changes of a namespace's rules that another program makes. */
export interface RuleEvents {
  /** Another program has changed rules, perhaps not ours. `by`: that program, in words. */
  changed(by: string): void;
  /** Notifications have stopped; the monitor tries to get them back. `why`: in words. */
  blind(why: string): void;
}
