/** Creates the parts of a host that its plugins share, from its options, policy and data folder. */
import { RESTARTS } from "../common/limits.js";
import type { Logger } from "../common/logger.js";
import { HostProcesses } from "../isolation/host-processes.js";
import type { Launcher } from "../isolation/link.js";
import { ThreadLauncher } from "../isolation/thread-launcher.js";
import type { Wall } from "../isolation/walls/wall.js";
import { UsageWatches } from "../learning/watches.js";
import { createClusterHub } from "../permissions/cluster/hub.js";
import type { ExternalChange } from "../permissions/external-changes.js";
import { createFirewallHub } from "../permissions/firewall/hub.js";
import type { FirewallRow } from "../permissions/firewall/ledger.js";
import { createNetlinkHub } from "../permissions/netlink/hub.js";
import type { LedgerRow } from "../permissions/netlink/ledger.js";
import type { LostLink } from "../permissions/netlink/restore-links.js";
import { createResolverHub } from "../permissions/resolver/hub.js";
import { MemoryStore } from "../permissions/store/backend.js";
import { createTrafficHub } from "../permissions/traffic/hub.js";
import type { TrafficRow } from "../permissions/traffic/ledger.js";
import type { PolicySource } from "../policy/policy-source.js";
import { LogBundleStore, NO_BUNDLE_STORE } from "../storage/bundle-store.js";
import { ClusterKeys } from "../storage/cluster-keys.js";
import type { DataFolder } from "../storage/folder.js";
import type { Journal } from "../storage/journal/journal.js";
import { LogJournal } from "../storage/journal/log-journal.js";
import { LogLedger } from "../storage/log-ledger.js";
import { LogStore } from "../storage/log-store.js";
import { openAudit } from "./audit/audit.js";
import { hostView } from "./calls/host-rules.js";
import { KeptRecords } from "./calls/kept-records.js";
import type { HostContext } from "./context.js";
import { HostEmitter } from "./events.js";
import type { PluginHostOptions } from "./options.js";
import { FlightRecorder } from "./recorder/flight-recorder.js";
import { DriverRegistry } from "./registry.js";
import { storageProblem } from "./storage-problems.js";
import { wallReports } from "./walls.js";

/** Parts that tests, and commands for authors, may replace. */
export interface HostParts {
  /** Launches all plugins, whatever their isolation. */
  readonly threads?: Launcher;
  /** Worker threads kept ready per memory class. Default: 1. With 0, no host process is started ahead either. */
  readonly spares?: number;
  /** Holds the records, so that a test can read them. */
  readonly journal?: Journal;
  /** How long an open breaker stays open, in milliseconds. */
  readonly breakerOpen?: number;
  /** Gives a debugger the source maps of plugins' code: URL of the folder that their sources are relative to, with a slash at its end. */
  readonly sourceRoot?: string | undefined;
  /** False: no flight recorder, although there is a data folder. */
  readonly recorder?: boolean;
  /** Puts another wall in place of the one that was raised. */
  readonly wall?: (raised: Wall) => Wall;
}

export interface AssembleOptions {
  readonly options: PluginHostOptions;
  readonly policy: PolicySource;
  readonly logger: Logger;
  readonly parts: HostParts;
  readonly data: DataFolder | undefined;
  /** Returns true once the host is closed. */
  closed(): boolean;
  /** Returns true for the id of a plugin in the plugins folder, loaded or not. */
  isPlugin(id: string): boolean;
  /** Called when another program has deleted links of a plugin. */
  linksLost(plugin: string, links: readonly LostLink[]): void;
}

export interface Assembled {
  readonly context: HostContext;
  readonly threads: Launcher;
  readonly processes: HostProcesses;
}

/** Creates a host's parts. Nothing is started before a plugin needs it. */
export function assemble({
  options,
  policy,
  logger,
  parts,
  data,
  closed,
  isPlugin,
  linksLost,
}: AssembleOptions): Assembled {
  const { backend, netns } = options;
  const threads = parts.threads ?? new ThreadLauncher(parts.spares === undefined ? {} : { spares: parts.spares });
  const audit = openAudit(options.dataDir, logger);
  const processes = new HostProcesses({
    ...wallReports(policy, logger, audit, parts.wall),
    spares: parts.spares !== 0,
  });
  const ledger = data && new LogLedger<LedgerRow>(data.state, "links", data.id);
  const rules = data && new LogLedger<FirewallRow>(data.state, "rules", data.id);
  const shapes = data && new LogLedger<TrafficRow>(data.state, "shapes", data.id);
  const report = (event: ExternalChange): void => void audit.write(event);
  const netlink = createNetlinkHub({ backend, netns, logger, ledger, report, lost: linksLost });
  const firewall = createFirewallHub({ netlink, netns, logger, ledger: rules, report });
  const resolver = createResolverHub({ netlink, netns, logger });
  const traffic = createTrafficHub({ netlink, netns, logger, ledger: shapes, report });
  // On a model of the network there is a model of the shared store too.
  const shared = options.cluster ?? (backend === "model" ? { store: "memory" as const } : undefined);
  const cluster = createClusterHub({ options: shared, logger, kept: data && new ClusterKeys(data.state) });
  const journal = parts.journal ?? (data ? new LogJournal(data.state) : new KeptRecords());
  const events = new HostEmitter(logger);
  data?.state.problems.listen((problem) => storageProblem(problem, { events, logger, audit }));
  const recorder =
    options.dataDir === undefined || parts.recorder === false ? undefined : new FlightRecorder(options.dataDir, logger);
  if (recorder)
    for (const name of ["plugin:loaded", "plugin:restarting", "plugin:restarted", "plugin:unavailable"] as const)
      events.on(name, ({ plugin, reason }) => recorder.event(plugin, name, reason));
  const context: HostContext = {
    events,
    logger,
    audit,
    registry: new DriverRegistry(isPlugin),
    journal,
    bundles: data ? new LogBundleStore(data.state, journal) : NO_BUNDLE_STORE,
    store: data ? new LogStore(data.state) : new MemoryStore(),
    machine: hostView(netlink, netns),
    netlink,
    firewall,
    resolver,
    traffic,
    cluster,
    recorder,
    usage: new UsageWatches(),
    callback: options.callback,
    launcher: (isolation) =>
      isolation === "thread" || parts.threads !== undefined ? threads : processes.launcher(isolation),
    isolation: options.isolation ?? "process",
    threadsOnly: parts.threads !== undefined,
    policy: () => policy.current,
    policyFile: policy.file,
    breakerOpen: parts.breakerOpen ?? RESTARTS.openMs,
    sourceRoot: parts.sourceRoot,
    closed,
  };
  return { context, threads, processes };
}
