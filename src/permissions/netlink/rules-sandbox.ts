/** Checks links that the host moves into a sandbox for a driver: each must be a plugin's, without an address that the machine uses. */
import type { NamespaceView } from "./backend.js";
import { contains, networkOf } from "./cidr.js";

/** A link to be moved into a sandbox, with the addresses to set there. */
export interface SandboxLink {
  readonly srcName: string;
  /** "": unchanged. */
  readonly mac: string;
  /** In CIDR form. */
  readonly addresses: readonly string[];
}

/** What the check uses. */
export interface SandboxSituation {
  readonly view: NamespaceView;
  /** The machine's name servers, canonical. */
  readonly resolvers: readonly string[];
  /** Returns the plugin that owns a link; undefined for any other link. */
  owner(link: string): string | undefined;
}

/**
 * Returns why links may not be moved into a sandbox; undefined if they may. A sandbox with the address of the gateway, or a network
 * card's MAC, would receive the machine's traffic to it.
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
      // On its own networks, the plugin decides about addresses.
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
