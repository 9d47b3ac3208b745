/** A host's plugins, kept in step with the plugins folders and the policy: on request, or with `watch` on every change. */
import { DriverError } from "../driverapi/errors.js";
import type { PolicySource } from "../policy/policy-source.js";
import type { HostContext } from "./context.js";
import type { Discovered } from "./discovered.js";
import { discoverPlugins } from "./discovery.js";
import { Plugin } from "./plugin/plugin.js";
import { Watcher } from "./watch.js";

export class PluginSet {
  readonly #plugins = new Map<string, Plugin>();
  readonly #context: HostContext;
  readonly #folders: readonly string[];
  readonly #policy: PolicySource;
  #watcher: Watcher | undefined;

  constructor(context: HostContext, folders: readonly string[], policy: PolicySource) {
    this.#context = context;
    this.#folders = folders;
    this.#policy = policy;
  }

  /** Returns a plugin that is known. */
  find(id: string): Plugin | undefined {
    return this.#plugins.get(id);
  }

  all(): readonly Plugin[] {
    return [...this.#plugins.values()];
  }

  /** Returns the plugin with that id, created if it is not known. */
  get(id: string): Plugin {
    let plugin = this.#plugins.get(id);
    if (plugin) return plugin;
    plugin = new Plugin(id, this.#context);
    this.#plugins.set(id, plugin);
    return plugin;
  }

  /** Loads all of them; resolves when each has settled. */
  async load(all: readonly Discovered[]): Promise<void> {
    // All ids are known before the first plugin is loaded: an id reserves the network type of that name for its plugin.
    for (const one of all) this.get(one.id);
    await Promise.all(all.map((one) => this.get(one.id).load(one)));
  }

  /** Follows the folders and the policy. Resolves with the plugins found there once every further change will be noticed. */
  async watch(): Promise<readonly Discovered[]> {
    const { logger } = this.#context;
    this.#watcher = await Watcher.open({
      folders: this.#folders,
      policyFile: this.#policy.file,
      changed: (ids) => this.#changed(ids),
      packageFolders: () => this.#refused().map(({ packages }) => packages),
      packagesInstalled: () => this.#changed(new Set(this.#refused().map(({ id }) => id))),
      folderReplaced: () => this.#rescan(),
      policyChanged: () => this.#policyChanged(),
      logger,
    });
    await this.#policy.refresh(logger);
    return discoverPlugins(this.#folders);
  }

  async stopWatching(): Promise<void> {
    await this.#watcher?.close();
  }

  /** Reads the policy and the folders again, and applies changes. */
  async refresh(): Promise<void> {
    await this.#policyChanged();
    await this.#rescan();
  }

  /**
   * Reads the policy again, revokes at once what it no longer grants, and resolves when plugin `id` has settled under it; the others
   * follow. A plugin that is held stays so. Rejects with `ERR_POLICY_INVALID` (the earlier policy stays) and `ERR_PLUGIN_NOT_FOUND`.
   */
  async apply(id: string): Promise<void> {
    const { logger } = this.#context;
    const problem = await this.#policy.refresh(logger);
    if (problem) throw problem;
    const concerned = this.#enforce();
    this.#changed(new Set(concerned.filter((one) => one !== id))).catch((error: unknown) =>
      logger.error({ err: error }, "the policy could not be applied to every plugin"),
    );
    const found = (await discoverPlugins(this.#folders)).find((one) => one.id === id);
    if (!found)
      throw new DriverError("ERR_PLUGIN_NOT_FOUND", `no plugin "${id}" in ${this.#folders.join(", ")}`, { plugin: id });
    const plugin = this.get(id);
    if (plugin.wanted) await plugin.load(found, "if changed");
  }

  /** Waits until no call is pending, at most `ms`. */
  async idle(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const busy = (): boolean => this.all().some((one) => one.busy);
    while (busy() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Reloads the plugins whose files have changed, appeared or disappeared. */
  async #changed(ids: ReadonlySet<string>): Promise<void> {
    let found: readonly Discovered[];
    try {
      found = await discoverPlugins(this.#folders);
    } catch (error) {
      const words = "the plugins folder can no longer be read; running plugins keep running";
      this.#context.logger.error({ err: error }, words);
      return;
    }
    const byId = new Map(found.map((one) => [one.id, one]));
    await Promise.all(
      [...ids].map(async (id) => {
        if (this.#context.closed()) return;
        const one = byId.get(id);
        if (one) await this.get(id).load(one, "if changed");
        else if (await this.find(id)?.orphan()) this.#plugins.delete(id);
      }),
    );
  }

  /** Compares the folders with the plugins known. */
  async #rescan(): Promise<void> {
    const found = await discoverPlugins(this.#folders).catch(() => []);
    await this.#changed(new Set([...this.#plugins.keys(), ...found.map(({ id }) => id)]));
  }

  /** Returns the refused plugins, and the folders in which packages they lack would be installed. */
  #refused(): readonly { readonly id: string; readonly packages: string }[] {
    return this.all().flatMap(({ id, state, packages }) =>
      state === "refused" && packages !== undefined ? [{ id, packages }] : [],
    );
  }

  async #policyChanged(): Promise<void> {
    if (await this.#policy.refresh(this.#context.logger)) return;
    await this.#changed(new Set(this.#enforce()));
  }

  /** Revokes what the policy no longer grants. Returns the plugins that it concerns. */
  #enforce(): readonly string[] {
    // An unrelated edit does not start a plugin that was stopped.
    const concerned = this.all().filter(({ wanted }) => wanted);
    for (const plugin of concerned) plugin.enforce();
    return concerned.map(({ id }) => id);
  }
}
