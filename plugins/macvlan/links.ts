/** Makes macvlan links, completely or not at all. */
import type { CallContext, LinkInfo, LinkSpec, NetlinkPower } from "bulkhead/plugin";

/** A macvlan link to make. */
export type MacvlanPlan = Omit<Extract<LinkSpec, { kind: "macvlan" }>, "kind">;

export class Links {
  readonly #netlink: NetlinkPower;

  constructor(netlink: NetlinkPower) {
    this.#netlink = netlink;
  }

  /** Creates the link, or takes the one that is there after a restart. It stays down until it is in its sandbox. */
  async make(plan: MacvlanPlan, ctx: CallContext): Promise<void> {
    await this.#netlink.createLink({ kind: "macvlan", ...plan });
    try {
      ctx.signal.throwIfAborted();
    } catch (error) {
      // In a replay the link may carry traffic: it stays.
      if (!ctx.replay) await this.remove(plan.name).catch(() => {});
      throw error;
    }
  }

  /** Makes a link and removes it, so that a parent that is missing or not granted is refused now. */
  async probe(plan: MacvlanPlan): Promise<void> {
    await this.#netlink.createLink({ kind: "macvlan", ...plan });
    await this.remove(plan.name);
  }

  /** Removes a link, also from a sandbox. A link that does not exist is not an error. */
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

  /** Returns one of the plugin's links. */
  async inspect(name: string): Promise<LinkInfo | undefined> {
    return (await this.#netlink.links()).find((one) => one.name === name);
  }
}

/** Returns true for a failure of `netlink` because the link does not exist. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_NETLINK_FAILED" && error.message.includes("Cannot find device");
}
