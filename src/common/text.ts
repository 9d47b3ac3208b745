/** Pieces of messages for people. */

/** Returns what a caught value says: an error's message, or the value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Lists up to `most` names, and counts the rest: `a, b and 3 more`. */
export function shortList(names: Iterable<string>, most = 5): string {
  const all = [...names];
  return `${all.slice(0, most).join(", ")}${all.length > most ? ` and ${all.length - most} more` : ""}`;
}
