/** Changes to a text by offset. */

/** One change: at an offset of the original code, `remove` characters become `insert`. */
export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/** Applies edits sorted by offset. */
export function applyEdits(code: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { at, remove, insert } of edits) {
    parts.push(code.slice(from, at), insert);
    from = at + remove;
  }
  return parts.join("") + code.slice(from);
}
