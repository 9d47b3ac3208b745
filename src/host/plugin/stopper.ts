/** Stops a plugin that is unloaded, has lost its files, is disabled by the policy, or is closed with its host. */
import { shortList } from "../../common/text.js";
import { inUse } from "./active-worker.js";
import { exceeding, stoppedByPolicy } from "./current-grant.js";
import type { PluginContext } from "./plugin-context.js";
import type { Recovery } from "./recovery.js";

export class Stopper {
  readonly #plugin: PluginContext;
  readonly #recovery: Recovery;
  /** True if the policy has stopped it: it starts again when the policy allows it. */
  #byPolicy = false;

  constructor(plugin: PluginContext, recovery: Recovery) {
    this.#plugin = plugin;
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
    const { id } = this.#plugin;
    const networks = this.#plugin.networks();
    if (networks.length === 0) await this.#stop("unloaded");
    else if (force) await this.#stop(`unloaded by force; ${leftWords(networks)}`, "links and rules");
    else throw inUse(id, `plugin "${id}" has ${networks.length} network(s)`, networks);
    return networks;
  }

  /** Handles the loss of its files. Returns true if it had been refused and nothing is left to report. */
  async orphan(): Promise<boolean> {
    const plugin = this.#plugin;
    if (plugin.state === "stopped") return false;
    if (!plugin.active.alive && (plugin.state === "refused" || plugin.state === "awaiting-grant")) {
      await this.releaseUnused();
      plugin.state = "stopped";
      plugin.reports.stopped("its file was removed");
      return true;
    }
    if (exceeding(plugin).length > 0) this.endRevoked("its grant was revoked, and its file is gone");
    this.drain("its file was removed");
    if (plugin.state === "running") plugin.state = "orphaned";
    const networks = plugin.networks();
    if (networks.length > 0) {
      const { message, code } = inUse(
        plugin.id,
        `plugin "${plugin.id}": its file is gone; it keeps running until these networks are deleted`,
        networks,
      );
      plugin.host.logger.warn({ plugin: plugin.id, code, networks }, message);
    }
    await this.endDrained();
    return false;
  }

  /** Refuses new networks from now on, for this reason; undefined: accepts them. */
  drain(why: string | undefined): void {
    const { id, host, draining } = this.#plugin;
    if (why !== undefined && draining === undefined)
      host.logger.info({ plugin: id }, `plugin "${id}" does not accept new networks: ${why}`);
    this.#plugin.draining = why;
  }

  /** Stops a draining plugin that has no networks any more. */
  async endDrained(): Promise<void> {
    const plugin = this.#plugin;
    if (plugin.draining === undefined || plugin.networks().length > 0) return;
    if (stoppedByPolicy(plugin) === undefined) await this.#stop(plugin.draining);
    else await this.stopByPolicy();
  }

  async stopByPolicy(): Promise<void> {
    if (!this.#byPolicy) await this.#stop(stoppedByPolicy(this.#plugin) ?? "stopped");
    this.#byPolicy = true;
  }

  /** Ends a running version that has lost its grant. Its networks and links stay; it starts again with its next grant. */
  endRevoked(why: string): void {
    this.#recovery.cancel();
    this.#plugin.active.end("its grant was revoked");
    this.#plugin.drivers.refuse(why);
  }

  /** Ends everything, even with networks; the journal keeps them. */
  async close(): Promise<void> {
    const plugin = this.#plugin;
    plugin.stopped = true;
    this.#recovery.cancel();
    plugin.active.end("the host is closing");
    await plugin.settled();
    plugin.active.end("the host is closing");
    plugin.drivers.shut();
    await plugin.active.closePowers();
    if (plugin.state !== "refused" && plugin.state !== "awaiting-grant") plugin.state = "stopped";
  }

  /** Removes its links and rules, unless networks or a stored version need them. */
  async releaseUnused(): Promise<void> {
    const { id, host, active } = this.#plugin;
    if (active.alive || this.#plugin.networks().length > 0) return;
    if ((await host.bundles.inUse(id)) === undefined) await this.#release();
  }

  async #stop(reason: string, left: "nothing" | "links and rules" = "nothing"): Promise<void> {
    const plugin = this.#plugin;
    plugin.stopped = true;
    plugin.draining = undefined;
    this.#recovery.cancel();
    plugin.active.end(reason);
    for (const type of plugin.drivers.types()) plugin.drivers.unregister(type);
    await plugin.active.closePowers();
    if (left === "nothing") {
      await this.#release();
      await plugin.host.bundles.delete(plugin.id).catch(() => {});
    }
    plugin.refusal = undefined;
    plugin.state = "stopped";
    plugin.reports.stopped(reason);
  }

  /** Removes its links and rules: rules before the bridges they refer to. */
  async #release(): Promise<void> {
    const { id, host } = this.#plugin;
    await host.firewall.release(id);
    await host.netlink.release(id);
  }
}

function leftWords(networks: readonly string[]): string {
  return `${networks.length} network(s) stay as they are: ${shortList(networks)}`;
}
