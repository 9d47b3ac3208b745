/** A mutex per sandbox: two concurrent attaches would look for the same free name. */

const turns = new Map<string, Promise<unknown>>();

/** Runs `body` once all earlier calls for the same key have settled (FIFO). */
export async function exclusively<T>(key: string, body: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve();
  const mine = before.then(body, body);
  const settled = mine.catch(() => {});
  turns.set(key, settled);
  try {
    return await mine;
  } finally {
    if (turns.get(key) === settled) turns.delete(key);
  }
}
