/** A host while it runs: the platform's interface to its plugins, and how it begins and ends. */

import { prepareBundler, releaseBundler } from "../bundler/bundle.js";
import type { Logger } from "../common/logger.js";
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import { knownOptions } from "../driverapi/known-options.js";
import type { HostedDriver } from "../driverapi/types.js";
import type { Usage } from "../learning/usage.js";
import type { FirewallHub } from "../permissions/firewall/hub.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import type { ResolverHub } from "../permissions/resolver/hub.js";
import type { PolicySource } from "../policy/policy-source.js";
import type { HomeNamespace } from "../sandbox/attachment.js";
import type { AttachedSandbox, AttachRequest } from "../sandbox/sandbox.js";
import { SESSION } from "../session/limits.js";
import type { DataFolder } from "../storage/folder.js";
import type { Journal } from "../storage/journal/journal.js";
import { type KeptRows, memoryRows, StateRows } from "../storage/kept-rows.js";
import { StateOwners } from "../storage/owners.js";
import { whenAborted } from "./abort-signals.js";
import type { ControlSocket, PluginHost, Unloaded, UnloadOptions } from "./api.js";
import type { HostContext } from "./context.js";
import type { Discovered } from "./discovered.js";
import { discoverPlugins } from "./discovery.js";
import type { HostEventName, HostListener } from "./events.js";
import { type Assembled, assemble, type HostParts } from "./host-parts.js";
import { HOST } from "./limits.js";
import type { LogTap } from "./log-tap.js";
import { observeUsage } from "./observe-usage.js";
import { OperatorHost } from "./operator-host.js";
import type { PluginHostOptions } from "./options.js";
import type { PluginInfo } from "./plugin/info.js";
import { PluginSet } from "./plugin-set.js";
import { homeOf, Sandboxes } from "./sandboxes.js";
import { type TypeView, viewType } from "./type-view.js";

export class RunningHost implements PluginHost {
  readonly #options: PluginHostOptions & { readonly plugins: readonly string[] };
  readonly #policy: PolicySource;
  readonly #logger: Logger;
  readonly #data: DataFolder | undefined;
  readonly #parts: Assembled;
  readonly #context: HostContext;
  readonly #plugins: PluginSet;
  readonly #sandboxes: Sandboxes;
  readonly #operator: OperatorHost;
  #metrics: Promise<() => Promise<string>> | undefined;
  readonly #controls = new Set<Promise<ControlSocket>>();
  #closed = false;
  #closing: Promise<void> | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** Stops listening to the platform's signal. */
  #unlisten: (() => void) | undefined;

  constructor(
    options: PluginHostOptions & { readonly plugins: readonly string[] },
    policy: PolicySource,
    { logger, tap }: { readonly logger: Logger; readonly tap: LogTap },
    parts: HostParts,
    data?: DataFolder,
  ) {
    this.#options = options;
    this.#policy = policy;
    this.#logger = logger;
    this.#data = data;
    this.#parts = assemble({
      options,
      policy,
      logger,
      parts,
      data,
      closed: () => this.#closed,
      isPlugin: (id) => this.#plugins.find(id) !== undefined,
      linksLost: (id, links) => this.#plugins.find(id)?.linksLost(links),
    });
    this.#context = this.#parts.context;
    this.#plugins = new PluginSet(this.#context, options.plugins, policy);
    this.#sandboxes = new Sandboxes(this.#context.registry, this.netlink, options.netns);
    const memory = new Map<string, KeptRows>();
    this.#operator = new OperatorHost({
      host: this,
      context: this.#context,
      plugins: this.#plugins,
      policy,
      found: (id) => this.#find(id),
      isThere: async (id) => (await discoverPlugins(this.#options.plugins)).some((one) => one.id === id),
      netns: options.netns,
      sandboxes: this.#sandboxes,
      kept: (prefix) => (data ? new StateRows(data.state, prefix) : memoryRows(memory, prefix)),
      tap,
      storage: data && (() => data.state.status()),
    });
  }

  async begin(found: readonly Discovered[]): Promise<void> {
    const { journal, registry } = this.#context;
    if (this.#data) registry.owners = await StateOwners.open(this.#data.state);
    if (found.length > 0) prepareBundler();
    for (const type of await journal.types()) registry.journalled.add(type);
    await this.#reconcile();
    await this.#plugins.load(this.#options.watch ? await this.#plugins.watch() : found);
    this.#heartbeat = setInterval(() => {
      for (const plugin of this.#plugins.all()) plugin.heartbeat();
    }, SESSION.heartbeatMs);
    this.#heartbeat.unref();
    const { signal } = this.#options;
    if (signal?.aborted) await this.close();
    else if (signal) this.#unlisten = whenAborted(signal, () => void this.close());
  }

  driver(type: string): HostedDriver {
    return this.#context.registry.find(type).driver;
  }

  plugins(): readonly PluginInfo[] {
    return this.#plugins.all().map((one) => one.info());
  }

  async reload(id: string): Promise<void> {
    this.#refuseClosed();
    const found = await this.#find(id);
    const refusal = await this.#plugins.get(id).load(found);
    if (refusal) throw refusal;
  }

  async refresh(): Promise<void> {
    this.#refuseClosed();
    await this.#plugins.refresh();
  }

  async unload(id: string, options: UnloadOptions = {}): Promise<Unloaded> {
    this.#refuseClosed();
    knownOptions("unload", options, ["force"] satisfies readonly (keyof UnloadOptions)[]);
    const { force = false } = options;
    if (typeof force !== "boolean") {
      throw new DriverError("ERR_OPTIONS", `unload: option "force" must be true or false, not ${quote(force)}`);
    }
    const plugin = this.#plugins.find(id);
    if (!plugin) throw new DriverError("ERR_PLUGIN_NOT_FOUND", `no plugin "${id}" is loaded`, { plugin: id });
    return { networks: await plugin.unload(force) };
  }

  async attach(request: AttachRequest): Promise<AttachedSandbox> {
    this.#refuseClosed();
    return this.#sandboxes.attach(request);
  }

  async control(path: string): Promise<ControlSocket> {
    this.#refuseClosed();
    const opening = import("../control/control.js").then(({ openControl }) =>
      openControl({
        ...{ path, host: this.#operator, dataDir: this.#options.dataDir, logger: this.#logger },
        metrics: () => this.metrics(),
      }),
    );
    this.#controls.add(opening);
    opening.catch(() => this.#controls.delete(opening));
    return opening;
  }

  async metrics(): Promise<string> {
    this.#refuseClosed();
    this.#metrics ??= import("../control/metrics.js").then(({ metricsOf }) => metricsOf(this.#operator));
    return (await this.#metrics)();
  }

  get journal(): Journal {
    return this.#context.journal;
  }

  /** A network type as the Docker gateway needs to see it. Throws as `driver` does. */
  view(type: string): TypeView {
    return viewType(type, this.#context.registry, this.netlink, this.firewall);
  }

  /** Watches what a plugin uses (`observeUsage`). */
  observe(plugin: string): Promise<() => Promise<Usage>> {
    return observeUsage(this.#context, plugin);
  }

  get netlink(): NetlinkHub {
    return this.#context.netlink;
  }

  get firewall(): FirewallHub {
    return this.#context.firewall;
  }

  get resolver(): ResolverHub {
    return this.#context.resolver;
  }

  get home(): HomeNamespace {
    return homeOf(this.netlink, this.#options.netns);
  }

  on<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost {
    this.#context.events.on(name, listener);
    return this;
  }

  once<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost {
    this.#context.events.once(name, listener);
    return this;
  }

  off<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost {
    this.#context.events.off(name, listener);
    return this;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { threads, processes, context } = this.#parts;
    this.#closed = true;
    this.#unlisten?.();
    clearInterval(this.#heartbeat);
    await Promise.all([...this.#controls].map((one) => one.then((control) => control.close()).catch(() => {})));
    await this.#plugins.stopWatching();
    await this.#plugins.idle(HOST.closeMs);
    await Promise.all(this.#plugins.all().map((one) => one.close()));
    await Promise.all([threads.close(), processes.close(), releaseBundler()]);
    await context.cluster.close();
    await context.resolver.close();
    await context.traffic.close();
    await context.firewall.close();
    await context.netlink.close();
    await context.journal.close();
    await context.recorder?.close();
    await this.#data?.close();
    await context.audit.close();
    context.events.clear();
  }

  /** Reconciles what an earlier run left in the kernel, before any plugin is loaded. A failure is retried at the first request. */
  async #reconcile(): Promise<void> {
    if (!this.#data) return;
    try {
      await this.#context.netlink.reconcile();
    } catch (error) {
      this.#logger.warn({ err: error }, "netlink: the links of an earlier run could not be read yet");
    }
    try {
      await this.#context.firewall.reconcile();
    } catch (error) {
      this.#logger.warn({ err: error }, "firewall: the rules of an earlier run could not be programmed yet");
    }
    try {
      await this.#context.traffic.reconcile();
    } catch (error) {
      this.#logger.warn({ err: error }, "traffic: links could not be shaped yet as in an earlier run");
    }
  }

  /** Reads the policy again, and finds a plugin in the folders. Throws `ERR_PLUGIN_NOT_FOUND`, `ERR_HOST_CLOSED`. */
  async #find(id: string): Promise<Discovered> {
    await this.#policy.refresh(this.#logger);
    const folders = this.#options.plugins;
    const found = (await discoverPlugins(folders)).find((one) => one.id === id);
    if (!found)
      throw new DriverError("ERR_PLUGIN_NOT_FOUND", `no plugin "${id}" in ${folders.join(", ")}`, { plugin: id });
    this.#refuseClosed();
    return found;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new DriverError("ERR_HOST_CLOSED", "the host is closed");
  }
}
