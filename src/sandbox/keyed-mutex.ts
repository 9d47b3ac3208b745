/** Keyed mutex: two concurrent attaches to one sandbox would choose the same free name. */

const queues = new Map<string, Promise<unknown>>();

/** Runs `body` once all earlier calls for the same key have settled (FIFO). */
export async function exclusively<T>(key: string, body: () => Promise<T>): Promise<T> {
  const previous = queues.get(key) ?? Promise.resolve();
  const result = previous.then(body, body);
  const settled = result.catch(() => {});
  queues.set(key, settled);
  try {
    return await result;
  } finally {
    if (queues.get(key) === settled) queues.delete(key);
  }
}
