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
    try {
      await this.#make({ kind: "bridge", name, mtu, mac }, { addresses, up: true }, ctx);
    } catch (error) {
      for (const address of addresses) if (String(error).includes(address)) explainNotGranted(error, address);
      throw error;
    }
  }

  async makePair({ bridge, ...pair }: PairPlan, ctx: CallContext): Promise<void> {
    await this.#make({ kind: "veth", ...pair }, { master: bridge, up: true }, ctx);
  }

  /** Removes a link, a veth with its other end. A link that does not exist is not an error. */
  async remove(name: string): Promise<void> {
    try {
      await this.#netlink.deleteLink(name);
    } catch (error) {
      if (!isGone(error)) throw error;
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

  /** Creates a link, or completes the one that is there after a restart. Removes it if the call has been given up meanwhile. */
  async #make(...[link, first, ctx]: [...Parameters<NetlinkPower["createLink"]>, CallContext]): Promise<void> {
    await this.#netlink.createLink(link, first);
    if (!ctx.signal.aborted) return;
    // In a replay the link may carry traffic: it stays.
    if (!ctx.replay) await this.remove(link.name).catch(() => {});
    ctx.signal.throwIfAborted();
  }
}

/** Returns true if `netlink` failed because the link does not exist. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_NETLINK_FAILED" && error.message.includes("Cannot find device");
}
