/** The demonstration's steps, in their order. */
export const STEPS: readonly string[] = [
  ...["load", "drop", "lifecycle", "hang", "neighbours", "recover"],
  ...["network", "ping4", "ping6", "tcp4", "tcp6", "survive", "cleanup"],
];
