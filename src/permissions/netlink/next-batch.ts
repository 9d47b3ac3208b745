/** Chooses the requests that go into one run. */
import { type Network, networkOf, overlaps } from "./cidr.js";
import type { NetlinkLimits } from "./grant.js";
import { NETLINK } from "./limits.js";
import type { NetlinkRequest } from "./request.js";
import { added, isAddress } from "./rules-addresses.js";
import { macsOf } from "./rules-links.js";
import { madeBy, usedBy } from "./rules-names.js";

/** A request, by which plugin and under which grant. */
export interface AskedLink {
  readonly plugin: string;
  readonly limits: NetlinkLimits;
  readonly request: NetlinkRequest;
}

/** Chooses requests that can go together: none conflicts with an earlier one in the queue, and no plugin exceeds its share. */
export function nextBatch<A extends AskedLink>(
  queue: readonly A[],
  peerOf: (name: string) => string | undefined,
): readonly A[] {
  const batch: A[] = [];
  const touched = new Set<string>();
  const nets: { readonly plugin: string; readonly network: Network }[] = [];
  const shares = new Map<string, number>();
  for (const job of queue) {
    const { waits, marks } = touches(job, peerOf);
    const networks = networksIn(job.request);
    const share = shares.get(job.plugin) ?? 0;
    const held =
      share >= NETLINK.batchPerPlugin ||
      waits.some((key) => touched.has(key)) ||
      // Of two plugins that want one network, the second is judged when the first has it.
      nets.some((one) => one.plugin !== job.plugin && networks.some((network) => overlaps(one.network, network)));
    if (!held) {
      batch.push(job);
      shares.set(job.plugin, share + 1);
    }
    for (const key of marks) touched.add(key);
    for (const network of networks) nets.push({ plugin: job.plugin, network });
  }
  return batch;
}

/** Returns what a request waits for, and what later ones wait for because of it. `links()` keeps its place among its plugin's requests. */
function touches(
  { plugin, request }: AskedLink,
  peerOf: (name: string) => string | undefined,
): { readonly waits: readonly string[]; readonly marks: readonly string[] } {
  if (request.op === "links") return { waits: [`write ${plugin}`], marks: [`read ${plugin}`] };
  const names = [...madeBy(request), ...usedBy(request)].flatMap((name) => [name, peerOf(name) ?? name]);
  const keys = [
    ...names.map((name) => `link ${name}`),
    ...macsOf(request).map((mac) => `mac ${mac}`),
    // Of two links, the second is judged by the recorded remotes of the first.
    ...(request.op === "setRemote" ? [`remotes ${plugin}`] : []),
  ];
  return { waits: [...keys, `read ${plugin}`], marks: [...keys, `write ${plugin}`] };
}

function networksIn(request: NetlinkRequest): readonly Network[] {
  return added(request)
    .filter((text) => isAddress(text, "prefixed") || isAddress(text, "destination"))
    .map(networkOf);
}
