/** Makes bridges and veth pairs, completely or not at all. */
import type { CallContext } from "../driverapi/types.js";
import type { LinkInfo } from "../permissions/netlink/link-spec.js";
import type { NetlinkPower } from "../permissions/powers.js";
import { explainNotGranted } from "./not-granted.js";

/** A bridge to be made. */
export interface BridgePlan {
  readonly name: string;
  readonly mtu: number;
  readonly mac: string;
  /** In CIDR form. */
  readonly addresses: readonly string[];
}

/** A veth pair to be made: one end on the bridge, the other for a sandbox. */
export interface PairPlan {
  readonly name: string;
  readonly peer: string;
  readonly mtu: number;
  readonly peerMac: string;
  readonly bridge: string;
}

export class BridgeLinks {
  readonly #netlink: NetlinkPower;

  constructor(netlink: NetlinkPower) {
    this.#netlink = netlink;
  }

  async makeBridge({ name, mtu, mac, addresses }: BridgePlan, ctx: CallContext): Promise<void> {
    await this.#make({ kind: "bridge", name, mtu, mac }, ctx, async (made) => {
      for (const address of addresses) {
        ctx.signal.throwIfAborted();
        if (!made.addresses.includes(address)) await this.#address(name, address);
      }
      if (!made.up) await this.#netlink.setLink(name, { up: true });
    });
  }

  async makePair({ bridge, ...pair }: PairPlan, ctx: CallContext): Promise<void> {
    await this.#make({ kind: "veth", ...pair }, ctx, async (made) => {
      if (made.master !== bridge || !made.up) await this.#netlink.setLink(pair.name, { master: bridge, up: true });
    });
  }

  /** Removes a link, a veth with its other end. A link that does not exist is not an error. */
  async remove(name: string): Promise<void> {
    try {
      await this.#netlink.deleteLink(name);
    } catch (error) {
      if (!kernelSays(error, "Cannot find device")) throw error;
    }
  }

  /** Removes the links among `names` that a worker left behind when it ended during a call. */
  async removeOrphans(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const there = (await this.#netlink.links()).filter(({ name }) => names.includes(name));
    for (const { name } of there) await this.remove(name);
  }

  /** Returns the plugin's links among `names`, by name. */
  async inspect(names: readonly string[]): Promise<ReadonlyMap<string, LinkInfo>> {
    const all = await this.#netlink.links();
    return new Map(all.filter(({ name }) => names.includes(name)).map((one) => [one.name, one]));
  }

  /**
   * Creates a link, or takes the one that is there after a restart, and completes it. Removes it if that fails.
   */
  async #make(
    link: Parameters<NetlinkPower["createLink"]>[0],
    ctx: CallContext,
    finish: (made: LinkInfo) => Promise<void>,
  ): Promise<void> {
    const made = await this.#netlink.createLink(link);
    try {
      ctx.signal.throwIfAborted();
      await finish(made);
    } catch (error) {
      // In a replay the link may carry traffic: it stays.
      if (!ctx.replay) await this.remove(link.name).catch(() => {});
      throw error;
    }
  }

  async #address(name: string, address: string): Promise<void> {
    try {
      await this.#netlink.addAddress(name, address);
    } catch (error) {
      explainNotGranted(error, address);
      if (!kernelSays(error, "File exists")) throw error;
    }
  }
}

/** Returns true for a failure of `netlink` with these words of the kernel's. */
function kernelSays(error: unknown, words: "File exists" | "Cannot find device"): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_NETLINK_FAILED" && error.message.includes(words);
}
