/** Stops a plugin: unloaded, without its files, disabled by the policy, or closed with its host. One with networks drains first. */
import { shortList } from "../../common/text.js";
import type { Life } from "./life.js";
import { exceeding, stoppedByPolicy } from "./policy-now.js";
import type { Recovery } from "./recovery.js";
import { inUse } from "./service.js";

export class Stopping {
  readonly #life: Life;
  readonly #recovery: Recovery;
  /** True if the policy has stopped it: it starts again when the policy allows it. */
  #byPolicy = false;

  constructor(life: Life, recovery: Recovery) {
    this.#life = life;
    this.#recovery = recovery;
  }

  /** True while it is stopped because of the policy alone. */
  get byPolicy(): boolean {
    return this.#byPolicy;
  }

  /** Records that a load has succeeded. */
  loaded(): void {
    this.#byPolicy = false;
  }

  /**
   * Stops a plugin. Rejects with `ERR_PLUGIN_IN_USE` while it has networks, unless `force` is set: its networks, links and
   * rules then stay for the next plugin that serves their type, and their ids are returned.
   */
  async unload(force: boolean): Promise<readonly string[]> {
    const { id } = this.#life;
    const networks = this.#life.networks();
    if (networks.length === 0) await this.#stop("unloaded");
    else if (force) await this.#stop(`unloaded by force; ${leftWords(networks)}`, "keeps what it made");
    else throw inUse(id, `plugin "${id}" has ${networks.length} network(s)`, networks);
    return networks;
  }

  /** Handles the loss of its files. Returns true if it had been refused and nothing is left to report. */
  async orphan(): Promise<boolean> {
    const life = this.#life;
    if (life.state === "stopped") return false;
    if (!life.service.alive && (life.state === "refused" || life.state === "awaiting-grant")) {
      await this.releaseUnused();
      life.state = "stopped";
      life.reports.stopped("its file was removed");
      return true;
    }
    if (exceeding(life).length > 0) this.takeOut("its grant was revoked, and its file is gone");
    this.drain("its file was removed");
    if (life.state === "running") life.state = "orphaned";
    const networks = life.networks();
    if (networks.length > 0) {
      const { message, code } = inUse(
        life.id,
        `plugin "${life.id}": its file is gone; it serves on until these networks are deleted`,
        networks,
      );
      life.context.logger.warn({ plugin: life.id, code, networks }, message);
    }
    await this.endDrained();
    return false;
  }

  /** Refuses new networks from now on, for this reason; undefined: accepts them. */
  drain(why: string | undefined): void {
    const { id, context, draining } = this.#life;
    if (why !== undefined && draining === undefined)
      context.logger.info({ plugin: id }, `plugin "${id}" takes no new networks: ${why}`);
    this.#life.draining = why;
  }

  /** Stops a draining plugin that has no networks any more. */
  async endDrained(): Promise<void> {
    const life = this.#life;
    if (life.draining === undefined || life.networks().length > 0) return;
    if (stoppedByPolicy(life) === undefined) await this.#stop(life.draining);
    else await this.stopByPolicy();
  }

  async stopByPolicy(): Promise<void> {
    if (!this.#byPolicy) await this.#stop(stoppedByPolicy(this.#life) ?? "stopped");
    this.#byPolicy = true;
  }

  /** Ends a running version that has lost its grant. Its networks and links stay; it starts again with its next grant. */
  takeOut(why: string): void {
    this.#recovery.cancel();
    this.#life.service.end("its grant was revoked");
    this.#life.drivers.refuse(why);
  }

  /** Ends everything, even with networks; the journal keeps them. */
  async close(): Promise<void> {
    const life = this.#life;
    life.stopped = true;
    this.#recovery.cancel();
    life.service.end("the host closes");
    await life.settled();
    life.service.end("the host closes");
    life.drivers.shut();
    await life.service.closePowers();
    if (life.state !== "refused" && life.state !== "awaiting-grant") life.state = "stopped";
  }

  /** Removes what its `init` made, unless networks or another version need it. */
  async releaseUnused(): Promise<void> {
    const { id, context, service } = this.#life;
    if (service.alive || this.#life.networks().length > 0) return;
    if ((await context.shelf.inUse(id)) === undefined) await this.#release();
  }

  async #stop(reason: string, made: "is removed" | "keeps what it made" = "is removed"): Promise<void> {
    const life = this.#life;
    life.stopped = true;
    life.draining = undefined;
    this.#recovery.cancel();
    life.service.end(reason);
    for (const type of life.drivers.types()) life.drivers.forget(type);
    await life.service.closePowers();
    if (made === "is removed") {
      await this.#release();
      await life.context.shelf.forget(life.id).catch(() => {});
    }
    life.refusal = undefined;
    life.state = "stopped";
    life.reports.stopped(reason);
  }

  /** Removes what it has made on the machine: rules before the bridges they refer to. */
  async #release(): Promise<void> {
    const { id, context } = this.#life;
    await context.firewall.release(id);
    await context.netlink.release(id);
  }
}

function leftWords(networks: readonly string[]): string {
  return `${networks.length} network(s) stay as they are: ${shortList(networks)}`;
}
