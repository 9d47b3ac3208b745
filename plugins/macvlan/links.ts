/** Macvlan links, made whole or not at all. */
import type { CallContext, LinkInfo, LinkSpec, NetlinkPower } from "bulkhead/plugin";

/** A macvlan link to be made. */
export type MacvlanPlan = Omit<Extract<LinkSpec, { kind: "macvlan" }>, "kind">;

export class Links {
  readonly #netlink: NetlinkPower;

  constructor(netlink: NetlinkPower) {
    this.#netlink = netlink;
  }

  /** Creates the link, or finds it there after a restart. It stays down: whoever it is handed to brings it up. */
  async make(plan: MacvlanPlan, ctx: CallContext): Promise<void> {
    await this.#netlink.createLink({ kind: "macvlan", ...plan });
    try {
      ctx.signal.throwIfAborted();
    } catch (error) {
      // In a replay the link is what traffic flows through: it stays.
      if (!ctx.replay) await this.remove(plan.name).catch(() => {});
      throw error;
    }
  }

  /** Makes a link and removes it again: what the machine, or the operator, has against it is said here. */
  async probe(plan: MacvlanPlan): Promise<void> {
    await this.#netlink.createLink({ kind: "macvlan", ...plan });
    await this.remove(plan.name);
  }

  /** Removes a link, wherever it is. One that is gone already is not an error. */
  async remove(name: string): Promise<void> {
    try {
      await this.#netlink.deleteLink(name);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** Removes what a worker that is gone may have left of a call nobody heard the outcome of. */
  async removeOrphans(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const there = (await this.#netlink.links()).filter(({ name }) => names.includes(name));
    for (const { name } of there) await this.remove(name);
  }

  /** One of the plugin's links. */
  async inspect(name: string): Promise<LinkInfo | undefined> {
    return (await this.#netlink.links()).find((one) => one.name === name);
  }
}

/** Returns true for a failure of `netlink` because the link does not exist. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_NETLINK_FAILED" && error.message.includes("Cannot find device");
}
