/** The platform's face: what a running host offers. */
import type { HostedDriver } from "../driverapi/types.js";
import type { AttachedSandbox, AttachRequest } from "../sandbox/sandbox.js";
import type { HostEventName, HostListener } from "./events.js";
import type { PluginInfo } from "./plugin/info.js";

/** How `unload` stops a plugin. */
export interface UnloadOptions {
  /** Also while it has networks. Default: false. */
  readonly force?: boolean | undefined;
}

/** What a plugin that was unloaded has left. */
export interface Unloaded {
  /** Ids of its networks. */
  readonly networks: readonly string[];
}

/** A running host. */
export interface PluginHost {
  /** The driver of a network type, whatever worker serves it. Throws `ERR_DRIVER_NOT_FOUND`. */
  driver(type: string): HostedDriver;
  /** Every plugin found, by id. */
  plugins(): readonly PluginInfo[];
  /**
   * Puts the links of a joined endpoint into its sandbox's network namespace: moved, named, addressed, routed, or nothing of it.
   * Interfaces, names, gateways and routes are those that were accepted at createEndpoint and join, the namespace by default
   * the join's sandbox key, and never the machine's own. Detach before `leave`. Rejects with `ERR_SANDBOX_FAILED`, which names the step,
   * `ERR_SANDBOX_NOT_FOUND`, `ERR_SANDBOX_ATTACHED`, `ERR_ENDPOINT_NOT_JOINED`, `ERR_DRIVER_NOT_FOUND`, `ERR_NETWORK_NOT_FOUND`,
   * `ERR_ENDPOINT_NOT_FOUND`.
   */
  attach(request: AttachRequest): Promise<AttachedSandbox>;
  /** Loads a plugin's files anew; what runs serves on until the new version has its place. Rejects with why it was refused. */
  reload(id: string): Promise<void>;
  /**
   * Reads the policy and the plugins folders again and acts on what has changed, as `watch` does by itself. Resolves when every plugin
   * has settled; what is wrong with one is in `plugins()`. A policy that cannot be read leaves the one in force.
   */
  refresh(): Promise<void>;
  /**
   * Stops a plugin. Rejects with `ERR_PLUGIN_IN_USE` while it has networks, unless `force` is set: then they are left as they are, links
   * and rules included, and resolves with their ids; a plugin that registers their type later serves them again.
   */
  unload(id: string, options?: UnloadOptions): Promise<Unloaded>;
  on<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost;
  once<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost;
  off<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost;
  /** New calls are refused, pending ones have 5 s, then everything ends. Twice is harmless. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
