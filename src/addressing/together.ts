/** Waits for requests that were made at once. */

/** Resolves when all have succeeded. Otherwise rejects with the first error in their order, once none is under way any more. */
export async function together(requests: readonly Promise<unknown>[]): Promise<void> {
  for (const settled of await Promise.allSettled(requests)) if (settled.status === "rejected") throw settled.reason;
}
