/** What all parts of one host share. */

import type { Logger } from "../common/logger.js";
import type { Capability, HostedDriver } from "../driverapi/types.js";
import type { Isolation, Launcher } from "../isolation/link.js";
import type { UsageWatches } from "../learning/watches.js";
import type { ClusterHub } from "../permissions/cluster/hub.js";
import type { FirewallHub } from "../permissions/firewall/hub.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import type { ResolverHub } from "../permissions/resolver/hub.js";
import type { StoreBackend } from "../permissions/store/backend.js";
import type { TrafficHub } from "../permissions/traffic/hub.js";
import type { Policy } from "../policy/schema.js";
import type { BundleStore } from "../storage/bundle-store.js";
import type { Audit } from "./audit/audit.js";
import type { HostView } from "./calls/host-rules.js";
import type { RecordJournal } from "./calls/kept-records.js";
import type { HostEmitter } from "./events.js";
import type { FlightRecorder } from "./recorder/flight-recorder.js";
import type { DriverRegistry } from "./registry.js";

/** The platform's `DriverCallback`. */
export interface PlatformCallback {
  registerDriver(name: string, driver: HostedDriver, capability: Capability): unknown;
}

export interface HostContext {
  readonly events: HostEmitter;
  readonly logger: Logger;
  /** Discards its entries if there is no data folder. */
  readonly audit: Audit;
  readonly registry: DriverRegistry;
  readonly journal: RecordJournal;
  readonly store: StoreBackend;
  /** The bytes that plugins ran last. */
  readonly bundles: BundleStore;
  readonly machine: HostView;
  /** The links of all plugins; nothing is started until a plugin uses it. */
  readonly netlink: NetlinkHub;
  readonly firewall: FirewallHub;
  readonly resolver: ResolverHub;
  readonly traffic: TrafficHub;
  /** The state that hosts share; nothing is connected until a plugin uses it. */
  readonly cluster: ClusterHub;
  /** Keeps the last calls and requests; undefined without a data folder. */
  readonly recorder: FlightRecorder | undefined;
  /** The plugins whose use of permissions an operator watches. */
  readonly usage: UsageWatches;
  readonly callback: PlatformCallback | undefined;
  launcher(isolation: Isolation): Launcher;
  /** Isolation of plugins for which the policy names none. */
  readonly isolation: Isolation;
  /** True for tests' hosts, which run every plugin in a thread. */
  readonly threadsOnly: boolean;
  policy(): Policy;
  /** Path of the policy, for messages; undefined when it was given as an object. */
  readonly policyFile: string | undefined;
  /** How long an open circuit breaker stays open before one more try, in milliseconds. */
  readonly breakerOpen: number;
  /** Where a debugger finds the sources of plugins' code; undefined: it is not given their source maps. */
  readonly sourceRoot: string | undefined;
  closed(): boolean;
}
