/** Notifications of changes of a namespace's rules that another program makes. */
export interface RuleEvents {
  /** Another program has changed rules, perhaps not ours. `by`: that program, in words. `names`: the tables changed that are named as ours are. */
  changed(by: string, names: readonly string[]): void;
  /** Notifications have stopped; the monitor tries to get them back. `why`: in words. */
  blind(why: string): void;
}
