/** The callers that one flush serves: they share its promise. */
export interface FlushGroup {
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Begins a group that nobody waits for yet. */
export function newGroup(): FlushGroup {
  let ends: Omit<FlushGroup, "done"> | undefined;
  const done = new Promise<void>((resolve, reject) => {
    ends = { resolve, reject };
  });
  // A promise runs its function at once.
  return { ...(ends as unknown as Omit<FlushGroup, "done">), done };
}
