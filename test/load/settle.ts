/** Waits that a bench cannot do without: nothing tells that a spare is ready, or that memory has been given back. */

/** Resolves when the machine has had time to make a spare, and to collect. */
export async function settle(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  globalThis.gc?.();
}
