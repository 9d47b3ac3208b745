/** Starts a host: checks options and policy, finds the plugins, and runs. */

import { defaultLogger, safeLogger } from "../common/logger.js";
import { loadTracing } from "../common/tracing.js";
import { refuseInsideThread } from "../isolation/walls/raise.js";
import type { Usage } from "../learning/usage.js";
import type { FirewallHub } from "../permissions/firewall/hub.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import type { ResolverHub } from "../permissions/resolver/hub.js";
import { PolicySource } from "../policy/policy-source.js";
import type { HomeNamespace } from "../sandbox/attachment.js";
import type { DataFolder } from "../storage/folder.js";
import type { Journal } from "../storage/journal/journal.js";
import type { PluginHost } from "./api.js";
import { discoverPlugins } from "./discovery.js";
import type { HostParts } from "./host-parts.js";
import { LogTap } from "./log-tap.js";
import { checkOptions, type PluginHostOptions, withPaths } from "./options.js";
import { refuseBundled } from "./own-files.js";
import { RunningHost } from "./running-host.js";
import type { TypeView } from "./type-view.js";

export type { PluginHost } from "./api.js";

/**
 * Starts a host and resolves when every plugin has settled, loaded or not: see `host.plugins()`.
 * An open host keeps its process alive, as an open server does; after `close()` the process can end, and nothing global in it
 * has changed.
 * Rejects only with `ERR_OPTIONS`, `ERR_BUNDLED`, `ERR_PLUGINS_DIR`, `ERR_POLICY_INVALID`, `ERR_ISOLATION_UNAVAILABLE`, and
 * for its `dataDir` with `ERR_DATA_DIR`, `ERR_DATA_LOCKED`, `ERR_JOURNAL_CORRUPT`.
 */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  return startHost(options, {});
}

/** `createPluginHost` with replaceable parts; for tests. */
export async function startHost(given: PluginHostOptions, parts: HostParts): Promise<PluginHost> {
  refuseBundled();
  const options = withPaths(checkOptions(given));
  // The daemon writes lines of its own to the same log.
  const { logger: log = defaultLogger } = options;
  const tap = log instanceof LogTap ? log : new LogTap(log);
  const logger = safeLogger(tap);
  if (options.isolation !== "thread") refuseInsideThread();
  const untraced = await loadTracing();
  if (untraced !== undefined) logger.warn({}, `calls are not traced: @opentelemetry/api cannot be used: ${untraced}`);
  const policy = await PolicySource.open(options.policy);
  const found = await discoverPlugins(options.plugins);
  const data = options.dataDir === undefined ? undefined : await openData(options.dataDir);
  try {
    const host = new RunningHost(options, policy, { logger, tap }, parts, data);
    await host.begin(found);
    return host;
  } catch (error) {
    await data?.close();
    throw error;
  }
}

/** Opens a data folder. Only hosts that have one load its code. */
async function openData(path: string): Promise<DataFolder> {
  const { openDataFolder } = await import("../storage/folder.js");
  return openDataFolder(path);
}

/** Returns a host's resolver, for tests; undefined if it is not a host of ours. */
export function resolverOf(host: PluginHost): ResolverHub | undefined {
  return host instanceof RunningHost ? host.resolver : undefined;
}

/** Returns a host's firewall, for tests; undefined if it is not a host of ours. */
export function firewallOf(host: PluginHost): FirewallHub | undefined {
  return host instanceof RunningHost ? host.firewall : undefined;
}

/** Returns a host's netlink hub, for tests; undefined if it is not a host of ours. */
export function netlinkOf(host: PluginHost): NetlinkHub | undefined {
  return host instanceof RunningHost ? host.netlink : undefined;
}

/** Watches what a plugin uses (`observeUsage`), for tests; undefined if it is not a host of ours. */
export async function usageOf(host: PluginHost, plugin: string): Promise<(() => Promise<Usage>) | undefined> {
  return host instanceof RunningHost ? host.observe(plugin) : undefined;
}

/** Returns a host's journal, for tests; undefined if it is not a host of ours. */
export function journalOf(host: PluginHost): Journal | undefined {
  return host instanceof RunningHost ? host.journal : undefined;
}

/**
 * Returns a network type's view, for code that serves it to others. Throws as `driver` does; undefined if it is not a host of
 * ours.
 */
export function viewOf(host: PluginHost, type: string): TypeView | undefined {
  return host instanceof RunningHost ? host.view(type) : undefined;
}

/** Returns where a host's links are, for code that attaches sandboxes; undefined if it is not a host of ours. */
export function homeNamespaceOf(host: PluginHost): HomeNamespace | undefined {
  return host instanceof RunningHost ? host.home : undefined;
}
