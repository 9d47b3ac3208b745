/** Compares an attachment with what is in the container. */
import type { NamespaceView } from "../permissions/netlink/backend.js";
import type { Attachment } from "./attachment.js";

/** Returns what is missing; undefined if every link is there, up, and has its addresses. MACs may differ: another program may set them. */
export function brokenIn({ links, netns }: Attachment, view: NamespaceView): string | undefined {
  for (const { name, addresses } of links) {
    const link = view.links.get(name);
    if (!link) return `link ${name} is missing in ${netns}`;
    if (!link.up) return `link ${name} in ${netns} is down`;
    const has = link.addresses.map(({ ip, prefix }) => `${ip}/${prefix}`);
    const missing = addresses.find((one) => !has.includes(one));
    if (missing !== undefined) return `link ${name} in ${netns} does not have the address ${missing}`;
  }
  return undefined;
}
