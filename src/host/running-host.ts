/** A host while it runs: its plugins, what they share, and how it ends. */
import { prepareBundler, releaseBundler } from "../bundler/bundle.js";
import { RESTARTS } from "../common/limits.js";
import type { Logger } from "../common/logger.js";
import { DriverError } from "../driverapi/errors.js";
import type { HostedDriver } from "../driverapi/types.js";
import { HostProcesses } from "../isolation/host-processes.js";
import type { Launcher } from "../isolation/link.js";
import { ThreadLauncher } from "../isolation/thread-launcher.js";
import type { Wall } from "../isolation/walls/wall.js";
import type { ExternalChange } from "../permissions/external-changes.js";
import { createFirewallHub, type FirewallHub } from "../permissions/firewall/hub.js";
import type { FirewallRow } from "../permissions/firewall/ledger.js";
import { createNetlinkHub, type NetlinkHub } from "../permissions/netlink/hub.js";
import type { LedgerRow } from "../permissions/netlink/ledger.js";
import type { LostLink } from "../permissions/netlink/restore-links.js";
import { MemoryStore } from "../permissions/store/backend.js";
import type { PolicySource } from "../policy/policy-source.js";
import type { Home } from "../sandbox/attachment.js";
import type { AttachedSandbox, AttachRequest } from "../sandbox/sandbox.js";
import { SESSION } from "../session/limits.js";
import type { DataFolder } from "../storage/folder.js";
import type { Journal } from "../storage/journal/journal.js";
import { LogJournal } from "../storage/journal/log-journal.js";
import { MemoryJournal } from "../storage/journal/memory-journal.js";
import { LogLedger } from "../storage/log-ledger.js";
import { LogStore } from "../storage/log-store.js";
import { StateOwners } from "../storage/owners.js";
import { LogShelf, NO_SHELF } from "../storage/shelf.js";
import { whenAborted } from "./abort-signals.js";
import type { PluginHost, Unloaded, UnloadOptions } from "./api.js";
import { openAudit } from "./audit/audit.js";
import { hostView } from "./calls/host-rules.js";
import type { HostContext } from "./context.js";
import type { Discovered } from "./discovered.js";
import { discoverPlugins } from "./discovery.js";
import { HostEmitter, type HostEventName, type HostListener } from "./events.js";
import { HOST } from "./limits.js";
import type { PluginHostOptions } from "./options.js";
import type { PluginInfo } from "./plugin/info.js";
import { Plugin } from "./plugin/plugin.js";
import { DriverRegistry } from "./registry.js";
import { homeOf, Sandboxes } from "./sandboxes.js";
import { type TypeView, viewType } from "./type-view.js";
import { wallReports } from "./walls.js";
import { Watcher } from "./watch.js";

/** What tests may replace. */
export interface HostParts {
  /** Launches all plugins, whatever their isolation. */
  readonly threads?: Launcher;
  /** Holds the records, so that a test can read them. */
  readonly journal?: Journal;
  /** How long an open breaker stays open, in milliseconds. */
  readonly breakerOpen?: number;
  /** Puts another wall in place of the one that was raised. */
  readonly wall?: (raised: Wall) => Wall;
}

export class RunningHost implements PluginHost {
  readonly #options: PluginHostOptions;
  readonly #folders: readonly string[];
  readonly #policy: PolicySource;
  readonly #logger: Logger;
  readonly #events: HostEmitter;
  readonly #threads: Launcher;
  readonly #processes: HostProcesses;
  readonly #context: HostContext;
  readonly #plugins = new Map<string, Plugin>();
  readonly #sandboxes: Sandboxes;
  readonly #data: DataFolder | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #watcher: Watcher | undefined;
  /** Stops listening to the platform's signal. */
  #stay: (() => void) | undefined;

  constructor(
    options: PluginHostOptions & { readonly plugins: readonly string[] },
    policy: PolicySource,
    logger: Logger,
    parts: HostParts,
    data?: DataFolder,
  ) {
    this.#data = data;
    this.#options = options;
    this.#folders = options.plugins;
    this.#policy = policy;
    this.#logger = logger;
    this.#events = new HostEmitter(logger);
    const threads = parts.threads ?? new ThreadLauncher();
    this.#threads = threads;
    const audit = openAudit(options.dataDir, logger);
    const processes = new HostProcesses(wallReports(policy, logger, audit, parts.wall));
    this.#processes = processes;
    const { backend, netns } = options;
    const ledger = data && new LogLedger<LedgerRow>(data.state, "links", data.id);
    const rules = data && new LogLedger<FirewallRow>(data.state, "rules", data.id);
    const report = (event: ExternalChange): void => audit.write(event);
    const lost = (id: string, links: readonly LostLink[]): void => this.#plugins.get(id)?.linksLost(links);
    const netlink = createNetlinkHub({ backend, netns, logger, ledger, report, lost });
    const firewall = createFirewallHub({ netlink, netns, logger, ledger: rules, report });
    const journal = parts.journal ?? (data ? new LogJournal(data.state) : new MemoryJournal());
    this.#context = {
      events: this.#events,
      logger,
      audit,
      registry: new DriverRegistry((id) => this.#plugins.has(id)),
      journal,
      shelf: data ? new LogShelf(data.state, journal) : NO_SHELF,
      store: data ? new LogStore(data.state) : new MemoryStore(),
      machine: hostView(netlink, options.netns),
      netlink,
      firewall,
      callback: options.callback,
      launcher: (isolation) =>
        isolation === "thread" || parts.threads !== undefined ? threads : processes.launcher(isolation),
      isolation: options.isolation ?? "process",
      threadsOnly: parts.threads !== undefined,
      policy: () => policy.current,
      policyFile: policy.file,
      breakerOpen: parts.breakerOpen ?? RESTARTS.openMs,
      closed: () => this.#closed,
    };
    this.#sandboxes = new Sandboxes(this.#context.registry, netlink, netns);
  }

  async begin(found: readonly Discovered[]): Promise<void> {
    const { journal, registry } = this.#context;
    if (this.#data) registry.owners = await StateOwners.open(this.#data.state);
    if (found.length > 0) prepareBundler();
    for (const type of await journal.types()) registry.journalled.add(type);
    await this.#reconcile();
    const all = await this.#watch(found);
    // All ids are known before the first plugin is loaded: an id reserves the network type of that name for its plugin.
    for (const one of all) this.#plugin(one.id);
    await Promise.all(all.map((one) => this.#plugin(one.id).load(one)));
    this.#heartbeat = setInterval(() => {
      for (const plugin of this.#plugins.values()) plugin.heartbeat();
    }, SESSION.heartbeatMs);
    this.#heartbeat.unref();
    const { signal } = this.#options;
    if (signal?.aborted) await this.close();
    else if (signal) this.#stay = whenAborted(signal, () => void this.close());
  }

  driver(type: string): HostedDriver {
    return this.#context.registry.find(type).driver;
  }

  plugins(): readonly PluginInfo[] {
    return [...this.#plugins.values()].map((one) => one.info());
  }

  async reload(id: string): Promise<void> {
    this.#refuseClosed();
    await this.#policy.refresh(this.#logger);
    const found = (await discoverPlugins(this.#folders)).find((one) => one.id === id);
    if (!found)
      throw new DriverError("ERR_PLUGIN_NOT_FOUND", `no plugin "${id}" stands in ${this.#folders.join(", ")}`, {
        plugin: id,
      });
    this.#refuseClosed();
    const refusal = await this.#plugin(id).load(found);
    if (refusal) throw refusal;
  }

  async refresh(): Promise<void> {
    this.#refuseClosed();
    await this.#policyChanged();
    await this.#rescan();
  }

  async unload(id: string, { force = false }: UnloadOptions = {}): Promise<Unloaded> {
    this.#refuseClosed();
    const plugin = this.#plugins.get(id);
    if (!plugin) throw new DriverError("ERR_PLUGIN_NOT_FOUND", `no plugin "${id}" is loaded`, { plugin: id });
    return { networks: await plugin.unload(force) };
  }

  async attach(request: AttachRequest): Promise<AttachedSandbox> {
    this.#refuseClosed();
    return this.#sandboxes.attach(request);
  }

  get journal(): Journal {
    return this.#context.journal;
  }

  /** A network type as the Docker gateway needs to see it. Throws as `driver` does. */
  view(type: string): TypeView {
    return viewType(type, this.#context.registry, this.netlink, this.firewall);
  }

  get netlink(): NetlinkHub {
    return this.#context.netlink;
  }

  get firewall(): FirewallHub {
    return this.#context.firewall;
  }

  get home(): Home {
    return homeOf(this.netlink, this.#options.netns);
  }

  on<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost {
    this.#events.on(name, listener);
    return this;
  }

  once<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost {
    this.#events.once(name, listener);
    return this;
  }

  off<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost {
    this.#events.off(name, listener);
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
    this.#closed = true;
    this.#stay?.();
    clearInterval(this.#heartbeat);
    await this.#watcher?.close();
    await this.#settled(HOST.closeMs);
    await Promise.all([...this.#plugins.values()].map((one) => one.close()));
    await Promise.all([this.#threads.close(), this.#processes.close(), releaseBundler()]);
    await this.#context.firewall.close();
    await this.#context.netlink.close();
    await this.#context.journal.close();
    await this.#data?.close();
    await this.#context.audit.close();
    this.#events.clear();
  }

  /** Reconciles what an earlier run left in the kernel before any plugin is loaded; what fails now is tried again at the first request. */
  async #reconcile(): Promise<void> {
    if (!this.#data) return;
    try {
      await this.#context.netlink.reconcile();
    } catch (error) {
      this.#logger.warn({ err: error }, "netlink: the links of an earlier run could not be looked at yet");
    }
    try {
      await this.#context.firewall.reconcile();
    } catch (error) {
      this.#logger.warn({ err: error }, "firewall: the rules of an earlier run could not be programmed yet");
    }
  }

  /** Waits until no call is pending, at most `ms`. */
  async #settled(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const busy = (): boolean => [...this.#plugins.values()].some((one) => one.busy);
    while (busy() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #plugin(id: string): Plugin {
    let plugin = this.#plugins.get(id);
    if (plugin) return plugin;
    plugin = new Plugin(id, this.#context);
    this.#plugins.set(id, plugin);
    return plugin;
  }

  /** Follows the folders, if asked to, and returns the plugins found there once every further change will be noticed. */
  async #watch(found: readonly Discovered[]): Promise<readonly Discovered[]> {
    if (!this.#options.watch) return found;
    this.#watcher = await Watcher.open({
      folders: this.#folders,
      policyFile: this.#policy.file,
      changed: (ids) => this.#changed(ids),
      lacking: () => this.#refused().map(({ packages }) => packages),
      installed: () => this.#changed(new Set(this.#refused().map(({ id }) => id))),
      exchanged: () => this.#rescan(),
      policyChanged: () => this.#policyChanged(),
      logger: this.#logger,
    });
    await this.#policy.refresh(this.#logger);
    return discoverPlugins(this.#folders);
  }

  /** Files of these plugins have changed, appeared or gone. */
  async #changed(ids: ReadonlySet<string>): Promise<void> {
    let found: readonly Discovered[];
    try {
      found = await discoverPlugins(this.#folders);
    } catch (error) {
      this.#logger.error({ err: error }, "the plugins folder cannot be read any more; what runs, runs on");
      return;
    }
    const byId = new Map(found.map((one) => [one.id, one]));
    await Promise.all(
      [...ids].map(async (id) => {
        if (this.#closed) return;
        const one = byId.get(id);
        if (one) await this.#plugin(id).load(one, "if changed");
        else if (await this.#plugins.get(id)?.orphan()) this.#plugins.delete(id);
      }),
    );
  }

  /** Compares the folders with the plugins known. */
  async #rescan(): Promise<void> {
    const found = await discoverPlugins(this.#folders).catch(() => []);
    await this.#changed(new Set([...this.#plugins.keys(), ...found.map(({ id }) => id)]));
  }

  /** The refused plugins, and where packages that they may lack would be installed. */
  #refused(): readonly { readonly id: string; readonly packages: string }[] {
    return [...this.#plugins.values()].flatMap(({ id, state, packages }) =>
      state === "refused" && packages !== undefined ? [{ id, packages }] : [],
    );
  }

  async #policyChanged(): Promise<void> {
    if (!(await this.#policy.refresh(this.#logger))) return;
    // An unrelated edit does not start a plugin that was stopped.
    const concerned = [...this.#plugins.values()].filter(({ wanted }) => wanted);
    for (const plugin of concerned) plugin.enforce();
    await this.#changed(new Set(concerned.map(({ id }) => id)));
  }

  #refuseClosed(): void {
    if (this.#closed) throw new DriverError("ERR_HOST_CLOSED", "the host is closed");
  }
}
