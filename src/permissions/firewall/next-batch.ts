/** Chooses the requests that go into one transaction. */
import type { NetlinkLimits } from "../netlink/grant.js";
import type { FirewallLimits } from "./grant.js";
import { FIREWALL } from "./limits.js";
import type { FirewallRequest } from "./request.js";

/** A request, by which plugin and under which grants. */
export interface AskedRule {
  readonly plugin: string;
  readonly limits: FirewallLimits;
  readonly netlink: NetlinkLimits | undefined;
  readonly request: FirewallRequest;
}

/**
 * Chooses a batch from the queue, round-robin over plugins, FIFO within each; `last`: the first plugin of the last batch, which goes last
 * now. A batch never both adds and withdraws: a withdrawn port is free in the next one, and requests for one address keep their order.
 */
export function nextBatch<A extends AskedRule>(queue: readonly A[], last: string | undefined): readonly A[] {
  const plugins = [...new Set(queue.map(({ plugin }) => plugin))].sort(
    (a, b) => Number(a === last) - Number(b === last),
  );
  const waiting = plugins.map((plugin) => queue.filter((asked) => asked.plugin === plugin));
  const batch: A[] = [];
  let withdraws: boolean | undefined;
  for (let progress = true; progress; ) {
    progress = false;
    for (const own of waiting) {
      const [first] = own;
      if (first === undefined || batch.length >= FIREWALL.batch) continue;
      const { op } = first.request;
      if (op === "publish" || op === "allow" || op === "withdraw") {
        withdraws ??= op === "withdraw";
        if (withdraws !== (op === "withdraw")) continue;
      }
      own.shift();
      batch.push(first);
      progress = true;
    }
  }
  return batch;
}
