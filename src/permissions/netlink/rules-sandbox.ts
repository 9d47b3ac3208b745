/** What the host itself must not put into a sandbox on a driver's word: links of nobody's, and addresses that the machine sends to. */
import type { NamespaceView } from "./backend.js";
import { contains, networkOf } from "./cidr.js";

/** A link on its way into a sandbox, and what it is to have there. */
export interface SandboxLink {
  readonly srcName: string;
  /** "": as it is. */
  readonly mac: string;
  /** In CIDR form. */
  readonly addresses: readonly string[];
}

/** What that is judged by. */
export interface SandboxSituation {
  readonly view: NamespaceView;
  /** The name servers the machine asks, canonical. */
  readonly resolvers: readonly string[];
  /** Whether a plugin made the link, and which. */
  owner(link: string): string | undefined;
}

/**
 * Why links may not be put into a sandbox; undefined when they may. On a card's own network a sandbox with the gateway's address
 * would answer for it, with a card's MAC for that card: all that the machine sends that way would come to the sandbox.
 */
export function sandboxProblem(
  links: readonly SandboxLink[],
  { view, resolvers, owner }: SandboxSituation,
): string | undefined {
  for (const { srcName, mac, addresses } of links) {
    const plugin = owner(srcName);
    if (plugin === undefined) return `"${srcName}" is not a link that a plugin made, and is not moved`;
    const twin = [...view.links.values()].find(
      (link) => mac !== "" && [link.mac, link.permanentMac].includes(mac) && owner(link.name) !== plugin,
    );
    if (twin) return `${mac} is the MAC of "${twin.name}"`;
    const own = [...view.links.values()].filter(({ name }) => owner(name) === plugin);
    for (const cidr of addresses) {
      const ip = networkOf(cidr.slice(0, cidr.indexOf("/")));
      // On a network of the plugin's own it is for the plugin to say who has which address.
      if (own.some((link) => link.addresses.some((one) => contains(networkOf(`${one.ip}/${one.prefix}`), ip))))
        continue;
      const used = (text: string): boolean => contains(networkOf(text), ip);
      const gateway = view.routes.some(
        ({ dev, via }) => (dev === undefined || owner(dev) !== plugin) && via.some(used),
      );
      if (gateway) return `${cidr} has the address of a gateway the machine uses`;
      if (resolvers.some(used)) return `${cidr} has the address of a name server of the machine`;
      const taken = [...view.links.values()].find((link) => link.addresses.some((one) => used(one.ip)));
      if (taken) return `${cidr} has the address of "${taken.name}"`;
    }
  }
  return undefined;
}
