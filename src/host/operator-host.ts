/** A host as its operator sees and steers it: what a control socket serves. */
import { setTimeout as pause } from "node:timers/promises";
import { escapeLine } from "../common/escape.js";
import { shortList } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { HostedDriver, Scope } from "../driverapi/types.js";
import { assertProfiling, type ProfileKind } from "../isolation/profiling.js";
import type { Usage } from "../learning/usage.js";
import type { ClusterHub } from "../permissions/cluster/hub.js";
import type { HeldElsewhere } from "../permissions/firewall/held-elsewhere.js";
import type { ShapeChange, TrafficShape } from "../permissions/traffic/shape.js";
import type { Effective, GrantQuestion } from "../policy/effective.js";
import type { PolicySource } from "../policy/policy-source.js";
import { netlinkPrefixes } from "../policy/schema.js";
import type { KeptRows } from "../storage/kept-rows.js";
import type { StorageStatus } from "../storage/status.js";
import type { PluginHost } from "./api.js";
import type { NetworkRecord } from "./calls/record.js";
import type { Tally } from "./calls/tally.js";
import type { HostContext } from "./context.js";
import type { Discovered } from "./discovered.js";
import { type EndpointLink, endpointLink } from "./endpoint-link.js";
import type { HostEventName, HostListener } from "./events.js";
import type { LogRecord, LogTap } from "./log-tap.js";
import { observeUsage } from "./observe-usage.js";
import type { PluginInfo } from "./plugin/info.js";
import type { Plugin } from "./plugin/plugin.js";
import type { PluginSet } from "./plugin-set.js";
import type { Sandboxes } from "./sandboxes.js";
import { type PublishedPort, type TypeView, viewType } from "./type-view.js";

export type { ShapeChange } from "../permissions/traffic/shape.js";

/** What `PluginHost.plugins()` says of a plugin, and what only an operator is told. */
export interface OperatorPlugin {
  readonly info: PluginInfo;
  readonly tally: Tally;
  readonly effective: Effective | undefined;
}

/** A network as the host has recorded it. */
export interface OperatorNetwork {
  readonly plugin: string;
  readonly type: string;
  readonly scope: Scope;
  readonly record: NetworkRecord;
}

export const ACTIONS = ["restart", "stop", "start", "reload", "quarantine", "apply"] as const;
export type Action = (typeof ACTIONS)[number];

/** A line of the audit log about a change: who asked for what, or how it ended. */
export interface OperatorChange {
  readonly event: "operator" | "operator-call";
  readonly plugin: string | undefined;
  readonly code: string | undefined;
  readonly detail: string;
}

export interface OperatorHostOptions {
  readonly host: Pick<PluginHost, "reload" | "on" | "off">;
  readonly context: HostContext;
  readonly plugins: PluginSet;
  readonly policy: Pick<PolicySource, "file" | "current" | "problem">;
  /** Reads the policy, and finds a plugin in its folder. Throws `ERR_PLUGIN_NOT_FOUND`. */
  found(id: string): Promise<Discovered>;
  /** Returns true if a plugin of that name is in the folders. */
  isThere(id: string): Promise<boolean>;
  readonly netns: string | undefined;
  readonly sandboxes: Sandboxes;
  /** Rows that are kept in the data folder for what is served through a control socket. */
  readonly kept: (prefix: string) => KeptRows;
  readonly tap: LogTap;
  /** Returns the state of the data folder; undefined without one. */
  readonly storage: (() => StorageStatus) | undefined;
}

export class OperatorHost {
  readonly #options: OperatorHostOptions;

  constructor(options: OperatorHostOptions) {
    this.#options = options;
  }

  plugins(): readonly OperatorPlugin[] {
    return this.#options.plugins.all().map(shown);
  }

  /** Throws `ERR_PLUGIN_NOT_FOUND`. */
  plugin(id: string): OperatorPlugin {
    return shown(this.#known(id));
  }

  /** Resolves if the plugin is known, or found in the folders now. Rejects with `ERR_PLUGIN_NOT_FOUND`. */
  async present(id: string): Promise<void> {
    if (!this.#options.plugins.find(id) && !(await this.#options.isThere(id))) this.#known(id);
  }

  /** The policy in force, and its file. */
  get policy(): Pick<PolicySource, "file" | "current" | "problem"> {
    return this.#options.policy;
  }

  networks(): readonly OperatorNetwork[] {
    const { plugins, context } = this.#options;
    return plugins
      .all()
      .flatMap(({ id }) =>
        context.registry
          .servicesOf(id)
          .flatMap(({ type, scope, records }) =>
            [...records.networks.values()].map((record) => ({ plugin: id, type, scope, record })),
          ),
      );
  }

  /** Returns the state of the data folder; undefined without one. */
  storage(): StorageStatus | undefined {
    return this.#options.storage?.();
  }

  /** The network namespace that links are made in (undefined: the process's own); `kernel` false: a model of one. */
  get machine(): { readonly netns: string | undefined; readonly kernel: boolean } {
    return { netns: this.#options.netns, kernel: this.#options.context.netlink.kind === "kernel" };
  }

  /** Lists the prefixes of link names that plugins are granted. */
  linkPrefixes(): readonly string[] {
    return netlinkPrefixes(this.#options.context.policy().plugins ?? {}).map(([, prefix]) => prefix);
  }

  /** Returns the bridges that the firewall closes to the outside. */
  async internalBridges(): Promise<ReadonlySet<string>> {
    const { plugins, context } = this.#options;
    const rules = await Promise.all(plugins.all().map(({ id }) => context.firewall.rules(id)));
    return new Set(rules.flat().flatMap((rule) => (rule.kind === "isolate" && rule.internal ? [rule.bridge] : [])));
  }

  /** Returns the published ports of the machine, of all plugins. */
  published(): Promise<readonly PublishedPort[]> {
    return this.#options.context.firewall.published();
  }

  /** Returns the link that shapes an endpoint's traffic. Throws `ERR_ENDPOINT_NOT_FOUND`, `ERR_TRAFFIC_REFUSED`. */
  endpointLink(eid: string): EndpointLink {
    return endpointLink(eid, this.networks(), this.#options.context.netlink);
  }

  /**
   * Changes how a link is shaped; undefined: as its plugin asked. Returns the shape in force. Rejects with `ERR_TRAFFIC_REFUSED`,
   * `ERR_TRAFFIC_FAILED`.
   */
  shape(link: string, change: ShapeChange | undefined): Promise<TrafficShape> {
    return this.#options.context.traffic.change(link, change);
  }

  /** Returns a type's driver, and the plugin that serves it. Throws as `PluginHost.driver` does. */
  driver(type: string): { readonly driver: HostedDriver; readonly plugin: string | undefined } {
    const { registry } = this.#options.context;
    return { driver: registry.find(type).driver, plugin: registry.owner(type) };
  }

  /** Records that an operator's call made an endpoint, which therefore no engine has to know. Throws as `driver` does. */
  async madeByHand(type: string, nid: string, eid: string): Promise<void> {
    await this.#options.context.registry.find(type).records.markByHand(nid, eid);
  }

  /** Returns a type as code that serves it to others sees it. Throws as `driver` does. */
  view(type: string): TypeView {
    const { registry, netlink, firewall } = this.#options.context;
    return viewType(type, registry, netlink, firewall);
  }

  /** Ports of the machine that a platform's own process has bound. */
  get elsewhere(): HeldElsewhere {
    return this.#options.context.firewall.elsewhere;
  }

  /** The state that hosts share. */
  get cluster(): Omit<ClusterHub, "open" | "close"> {
    return this.#options.context.cluster;
  }

  /** The sandboxes of the host's endpoints. */
  get sandboxes(): Sandboxes {
    return this.#options.sandboxes;
  }

  /** Returns the names of the host's ends of a plugin's veth, by the name of the end that goes into a sandbox. */
  hostEnd(plugin: string, link: string): string | undefined {
    const row = this.#options.context.netlink.held(plugin).find(({ name }) => name === link);
    if (row?.spec.kind !== "veth") return undefined;
    return row.spec.name === link ? row.spec.peer : row.spec.name;
  }

  /** Rows in the data folder whose keys begin with `prefix`; without a data folder they end with the process. */
  kept(prefix: string): KeptRows {
    return this.#options.kept(prefix);
  }

  /**
   * Takes a profile of a plugin's worker while it serves, at the latest until `gone` is aborted. Rejects with `ERR_PROFILE_UNAVAILABLE`, or an
   * error that gives the reason.
   */
  async profile(
    id: string,
    of: ProfileKind,
    ms: number,
    gone?: AbortSignal,
  ): Promise<{ readonly text: string; readonly sourceMap: string }> {
    assertProfiling(of);
    return this.#known(id).profile(of, ms, gone);
  }

  /**
   * Watches what a plugin uses of its permissions for `ms` milliseconds. Resolves with the usage, and with the manifest and policy that
   * determine its grant. Rejects with `ERR_CONTROL_BUSY` if the plugin is being watched already, and with `ERR_CALL_ABORTED` once `gone`
   * is aborted.
   */
  async learn(
    id: string,
    ms: number,
    gone?: AbortSignal,
  ): Promise<{ readonly usage: Usage; readonly question: GrantQuestion }> {
    const { context } = this.#options;
    const plugin = this.#known(id);
    const done = await observeUsage(context, id);
    await pause(ms, undefined, { ref: false, ...(gone ? { signal: gone } : {}) }).catch(() => {});
    const usage = await done();
    if (gone?.aborted)
      throw new DriverError(
        "ERR_CALL_ABORTED",
        `plugin "${id}" is not watched any more: the client has closed its connection`,
        {
          plugin: id,
        },
      );
    const { isolation: hostIsolation, threadsOnly } = context;
    return { usage, question: { id, manifest: plugin.manifest, policy: context.policy(), hostIsolation, threadsOnly } };
  }

  /** Carries out an action. Rejects with why it failed; `stop`, `start` and `quarantine` are idempotent. */
  async act(action: Action, id: string): Promise<void> {
    if (action === "apply") return this.#options.plugins.apply(id);
    const plugin = this.#known(id);
    const { holds } = plugin;
    switch (action) {
      case "reload":
        return this.#options.host.reload(id);
      case "stop":
        return plugin.hold("stopped");
      case "quarantine":
        return plugin.hold("quarantined");
      case "restart":
        if (!(await plugin.restart())) await this.#start(plugin, holds);
        return;
      case "start":
        return this.#start(plugin, holds);
    }
  }

  /**
   * Writes the audit line of a change before it acts. Resolves when it is written, with false if it was dropped because there are too
   * many; a disk that hangs or fails does not keep an operator from acting.
   */
  async auditBegin(change: OperatorChange): Promise<boolean> {
    const { audit } = this.#options.context;
    const taken = audit.write(change);
    await audit.written();
    return taken;
  }

  /** Writes the line of how it ended. */
  auditEnd(change: OperatorChange): void {
    this.#options.context.audit.writeOutcome(change);
  }

  on<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    this.#options.host.on(name, listener);
  }

  off<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    this.#options.host.off(name, listener);
  }

  /** Gives the last lines of the log, and all from now on, to `listener`. Returns a function that stops that. */
  log(listener: (record: LogRecord) => void): () => void {
    return this.#options.tap.listen(listener);
  }

  async #start(plugin: Plugin, holds: number): Promise<void> {
    const refusal = await plugin.start(await this.#options.found(plugin.id), holds);
    if (refusal) throw refusal;
    if (plugin.state !== "stopped") return;
    const words = `plugin "${plugin.id}" stays stopped: its entry in the policy says "enabled": false`;
    throw new DriverError("ERR_PLUGIN_STOPPED", words, { plugin: plugin.id });
  }

  #known(id: string): Plugin {
    const plugin = this.#options.plugins.find(id);
    if (plugin) return plugin;
    const ids = this.#options.plugins.all().map((one) => one.id);
    const name = escapeLine(id, 128);
    throw new DriverError(
      "ERR_PLUGIN_NOT_FOUND",
      `the host has no plugin "${name}"; it has: ${shortList(ids, 20) || "none"}`,
      {
        plugin: name,
      },
    );
  }
}

function shown(plugin: Plugin): OperatorPlugin {
  return { info: plugin.info(), tally: plugin.tally, effective: plugin.effective };
}
