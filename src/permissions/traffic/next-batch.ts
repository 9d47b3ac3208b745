/** Chooses the requests that go into one run. */
import { TRAFFIC } from "./limits.js";
import type { AskedShape } from "./run-batch.js";

/** Chooses requests for different links; `shapes` keeps its place among its plugin's requests. */
export function nextBatch<A extends AskedShape>(queue: readonly A[]): readonly A[] {
  const batch: A[] = [];
  const held = new Set<string>();
  for (const asked of queue) {
    if (batch.length >= TRAFFIC.batch) break;
    const { plugin, request } = asked;
    const waits = request.op === "shape" ? `link ${request.link}` : undefined;
    if (held.has(`plugin ${plugin}`) || (waits !== undefined && held.has(waits))) {
      held.add(`plugin ${plugin}`);
      continue;
    }
    if (waits !== undefined) held.add(waits);
    batch.push(asked);
  }
  return batch;
}
