/**
 * Checks whether a history of one key is linearizable, after Wing and Gong with Lowe's memory of states. Every write's value is unique, so
 * that a comparison by revision is one by value, and a value read tells which write it saw.
 */

/** One operation on one key, with when it was called and when its reply came, on one clock. */
export interface Operation {
  readonly call: number;
  /** Infinity: the outcome is unknown; it took effect at any time after the call, or never. */
  readonly reply: number;
  /** The value before, if it depends on one: null for `create`; undefined: on none. */
  readonly expects?: string | null;
  /** The value after: null for `delete`; undefined: it reads. */
  readonly writes?: string | null;
  /** What it was told: for a read, the value or null; for a write, whether it was done. Undefined: unknown. */
  readonly told?: string | boolean | null | undefined;
  /** The revision that it was told. */
  readonly revision?: number | undefined;
}

/** Returns why a history is not linearizable; undefined if it is. */
export function violation(history: readonly Operation[]): string | undefined {
  const twice = revisionProblem(history);
  if (twice !== undefined) return twice;
  const operations = [...history].sort((a, b) => a.call - b.call);
  const revisions = revisionsOf(operations);
  const needed = operations.filter(({ reply }) => reply !== Number.POSITIVE_INFINITY).length;
  const seen = new Set<string>();
  const done = new Uint8Array(operations.length);
  let deepest = 0;

  const search = (value: string | null, revision: number, placed: number): boolean => {
    if (placed === needed) return true;
    deepest = Math.max(deepest, placed);
    const mark = `${done.join("")} ${value} ${revision}`;
    if (seen.has(mark)) return false;
    seen.add(mark);
    // Only an operation that was called before every open one was answered can be the next.
    let first = Number.POSITIVE_INFINITY;
    for (const [n, { reply }] of operations.entries()) if (done[n] === 0) first = Math.min(first, reply);
    for (const [n, operation] of operations.entries()) {
      if (operation.call > first) break;
      if (done[n] !== 0) continue;
      const next = step(operation, value, revision, revisions);
      if (!next) continue;
      done[n] = 1;
      const known = operation.reply === Number.POSITIVE_INFINITY ? 0 : 1;
      if (search(next.value, next.revision, placed + known)) return true;
      done[n] = 0;
    }
    return false;
  };
  return search(null, 0, 0)
    ? undefined
    : `no order of the ${operations.length} operations fits; ${deepest} of ${needed} at most`;
}

interface State {
  readonly value: string | null;
  /** The highest revision of a write so far. */
  readonly revision: number;
}

/** Returns the state after an operation; undefined if it was told something else than this state gives. */
function step(
  { expects, writes, told, revision: own }: Operation,
  value: string | null,
  revision: number,
  revisions: ReadonlyMap<string, number>,
): State | undefined {
  if (writes === undefined) return told === value ? { value, revision } : undefined;
  const holds = (expects === undefined || expects === value) && !(writes === null && value === null);
  if (told === false) return holds ? undefined : { value, revision };
  // Unknown, and without effect here: it need not be placed at all.
  if (!holds) return undefined;
  const next = own ?? (writes === null ? undefined : revisions.get(writes));
  if (next !== undefined && next <= revision) return undefined;
  return { value: writes, revision: next ?? revision };
}

/** The revision of each value that somebody was told. */
function revisionsOf(operations: readonly Operation[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { writes, told, revision } of operations) {
    const value = writes ?? (typeof told === "string" ? told : undefined);
    if (typeof value === "string" && revision !== undefined) found.set(value, revision);
  }
  return found;
}

/** Every value has one revision, the same for all clients. */
function revisionProblem(history: readonly Operation[]): string | undefined {
  const found = revisionsOf(history);
  for (const { writes, told, revision } of history) {
    const value = writes ?? (typeof told === "string" ? told : undefined);
    if (typeof value === "string" && revision !== undefined && found.get(value) !== revision)
      return `${value} has the revisions ${found.get(value)} and ${revision}`;
  }
  return undefined;
}
