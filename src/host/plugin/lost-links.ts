/**
 * Handles links of a plugin that another program deleted: replays the driver's networks, and tells the operator what that
 * cannot repair.
 */

import { BackOff } from "../../permissions/back-off.js";
import type { LostLink } from "../../permissions/netlink/restore-links.js";
import type { HostContext } from "../context.js";

export interface LostLinksOptions {
  readonly plugin: string;
  readonly context: HostContext;
  /**
   * Replays the plugin's networks as a restart does, in sequence with its other changes; returns false where that is not
   * needed any more.
   */
  remake(): Promise<boolean>;
}

export class LostLinks {
  readonly #options: LostLinksOptions;
  readonly #names = new Set<string>();
  readonly #backOff = new BackOff();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LostLinksOptions) {
    this.#options = options;
  }

  /** Recreates lost links where possible, with a back-off if they keep being deleted. */
  note(links: readonly LostLink[]): void {
    this.#reportCut(new Set(links.map(({ name }) => name)));
    const again = links.filter(({ kind }) => kind !== "veth");
    if (again.length === 0) return;
    for (const { name } of again) this.#names.add(name);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#remake();
    }, this.#backOff.wait);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #remake(): Promise<void> {
    const { plugin, context } = this.#options;
    const fields = { plugin, links: [...this.#names] };
    this.#names.clear();
    try {
      if (!(await this.#options.remake())) return;
      context.logger.info(fields, `replayed the networks of plugin "${plugin}" to recreate lost links`);
    } catch (error) {
      const advice = `call host.reload("${plugin}"), or restart the platform`;
      const words = `plugin "${plugin}" could not have its networks replayed, and its lost links are not recreated; ${advice}`;
      context.logger.error({ ...fields, err: error }, words);
    } finally {
      this.#backOff.done();
    }
  }

  /** Logs the endpoints that had one of these links in a container: only the engine can recreate a deleted veth pair. */
  #reportCut(links: ReadonlySet<string>): void {
    const { plugin, context } = this.#options;
    for (const { records } of context.registry.servicesOf(plugin)) {
      for (const [nid, { endpoints }] of records.networks) {
        for (const [eid, { join }] of endpoints) {
          if (!(join?.data?.names ?? []).some(({ srcName }) => links.has(srcName))) continue;
          const advice = `find its container with "docker network inspect ${nid}", and run: docker restart CONTAINER`;
          const words = `endpoint "${eid}" of network "${nid}" is cut off: another program deleted its link; ${advice}`;
          context.logger.error({ plugin, network: nid, endpoint: eid }, words);
        }
      }
    }
  }
}
