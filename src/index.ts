/** What a platform imports. */
// First: in a bundle, what comes after fails without saying why.
import "./host/own-files.js";

export type { Logger } from "./common/logger.js";
export * from "./driverapi/index.js";
export { type AttachSandboxOptions, attachSandbox } from "./host/attach-sandbox.js";
export type { PlatformCallback } from "./host/context.js";
export type {
  CallTimeoutEvent,
  DriverEvent,
  DriverRefusedEvent,
  HostEventName,
  HostEvents,
  HostListener,
  PluginEvent,
  PluginLogEvent,
  ViolationEvent,
} from "./host/events.js";
export type { PluginHostOptions } from "./host/options.js";
export type { PluginCounters, PluginInfo, PluginState } from "./host/plugin/info.js";
export { createPluginHost, type PluginHost } from "./host/plugin-host.js";
export type { ClusterOptions, EtcdOptions, MemoryOptions } from "./permissions/cluster/options.js";
export type { Policy, PolicyEntry } from "./policy/schema.js";
export type { AttachedLink, AttachedSandbox, AttachRequest } from "./sandbox/sandbox.js";
