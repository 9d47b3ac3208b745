/** The vxlans of this host, and the remote hosts set on them. */
import type { LinkInfo, LinkSpec, NetlinkPower, RandomPower, RemoteSpec } from "bulkhead/plugin";
import type { SharedNetwork } from "./documents.ts";
import { type Prefix, prefixesOf } from "./networks.ts";

export type TunnelSpec = Required<Pick<Extract<LinkSpec, { kind: "vxlan" }>, "name" | "vni" | "mac">> & {
  readonly local: string;
  readonly parent: string;
};

export class Tunnels {
  readonly #netlink: NetlinkPower;

  constructor(netlink: NetlinkPower) {
    this.#netlink = netlink;
  }

  /** Creates a vxlan, down, with the largest MTU that its parent carries; after a restart, takes the existing one. */
  make(spec: TunnelSpec): Promise<LinkInfo> {
    return this.#netlink.createLink({ kind: "vxlan", ...spec });
  }

  /** Gives it this host's own addresses and the network's MTU, and sets it up. */
  async open(link: LinkInfo, prefixes: readonly Prefix[], mtu: number): Promise<void> {
    const { name } = link;
    if (link.mtu !== mtu) await this.#netlink.setLink(name, { mtu });
    for (const { own, family } of prefixes) {
      const address = `${own}/${family === 4 ? 32 : 128}`;
      if (!link.addresses.includes(address)) await this.#netlink.addAddress(name, address);
    }
    if (!link.up) await this.#netlink.setLink(name, { up: true });
  }

  /**
   * Makes a vxlan's remote hosts those of the network: first removes the others, since their prefixes may have new owners, then sets those
   * that are missing, incomplete or different. Calls `failed` for each that cannot be set.
   */
  async follow(
    name: string,
    wanted: readonly RemoteSpec[],
    failed: (remote: RemoteSpec, error: unknown) => void,
  ): Promise<void> {
    const there = await this.#netlink.remotes(name);
    const same = (remote: RemoteSpec): boolean =>
      there.some(({ complete, ...one }) => complete && textOf(one) === textOf(remote));
    for (const { complete: _, ...one } of there)
      if (!wanted.some((remote) => textOf(remote) === textOf(one))) await this.#netlink.removeRemote(name, one.host);
    for (const remote of wanted) {
      if (same(remote)) continue;
      await this.#netlink.setRemote(name, remote).catch((error: unknown) => failed(remote, error));
    }
  }
}

/** Returns the remote hosts that the host `self` sets for a network. */
export function remotesOf({ hosts, subnets }: SharedNetwork, self: string): readonly RemoteSpec[] {
  return Object.entries(hosts).flatMap(([host, { n, address, mac }]) =>
    host === self
      ? []
      : [
          {
            host: address,
            mac,
            routes: prefixesOf(subnets, n).map(({ text, own }) => ({ destination: text, via: own })),
          },
        ],
  );
}

/** Returns a random MAC address: unicast, locally administered. */
export function randomMac(random: RandomPower): string {
  const bytes = [...random.bytes(6)];
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function textOf({ host, mac, routes }: RemoteSpec): string {
  return [host, mac, ...routes.flatMap(({ destination, via }) => [destination, via])].join(" ");
}
