/** The rules that a permission judges requests by: a table that its README lists and its tests attack. */

/** One rule. `Asked`: what a check is given, such as the request and the situation. */
export interface PermissionRule<Asked extends readonly unknown[]> {
  /** Stable; named in every refusal. */
  readonly id: string;
  /** What it refuses, in a few words, for documentation. */
  readonly refuses: string;
  /** Returns why a request is refused, with the value; undefined if it is not. */
  check(...asked: Asked): string | undefined;
}

/** Applies rules in order. Throws what `refused` returns for the first that refuses. */
export function applyRules<Asked extends readonly unknown[]>(
  rules: readonly PermissionRule<Asked>[],
  asked: Asked,
  refused: (rule: string, why: string) => Error,
): void {
  for (const { id, check } of rules) {
    const why = check(...asked);
    if (why !== undefined) throw refused(id, why);
  }
}
