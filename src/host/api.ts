/** The platform's interface: what a running host offers. */
import type { HostedDriver } from "../driverapi/types.js";
import type { AttachedSandbox, AttachRequest } from "../sandbox/sandbox.js";
import type { HostEventName, HostListener } from "./events.js";
import type { PluginInfo } from "./plugin/info.js";

/** Options of `unload`. */
export interface UnloadOptions {
  /** Unloads the plugin even if it has networks. Default: false. */
  readonly force?: boolean | undefined;
}

/** What an unloaded plugin leaves behind. */
export interface Unloaded {
  /** Ids of its networks. */
  readonly networks: readonly string[];
}

/** An open control socket. */
export interface ControlSocket {
  readonly path: string;
  /** Closes it, ends its clients' streams, and removes the file. Idempotent; `host.close()` does it too. */
  close(): Promise<void>;
}

/** A running host. */
export interface PluginHost {
  /** Returns the driver of a network type, whichever worker serves it. Throws `ERR_DRIVER_NOT_FOUND`. */
  driver(type: string): HostedDriver;
  /** Lists all plugins found, by id. */
  plugins(): readonly PluginInfo[];
  /**
   * Moves the links of a joined endpoint into its sandbox's network namespace, with names, addresses and routes, or changes
   * nothing. Interfaces, names, gateways and routes are those accepted at createEndpoint and join; the namespace is by
   * default the join's sandbox key, and never the machine's own. Detach before `leave`.
   * Rejects with `ERR_SANDBOX_FAILED`, which names the step, `ERR_SANDBOX_NOT_FOUND`, `ERR_SANDBOX_ATTACHED`,
   * `ERR_ENDPOINT_NOT_JOINED`, `ERR_DRIVER_NOT_FOUND`, `ERR_NETWORK_NOT_FOUND`, `ERR_ENDPOINT_NOT_FOUND`, `ERR_OPTIONS`.
   */
  attach(request: AttachRequest): Promise<AttachedSandbox>;
  /** Reloads a plugin's files; the running version stays in service until the new one replaces it. Rejects with why it was refused. */
  reload(id: string): Promise<void>;
  /**
   * Reads the policy and the plugins folders again and applies changes, as `watch` does by itself. Resolves when every plugin
   * has settled; `plugins()` says what is wrong with any. If the policy cannot be read, the one in force stays.
   */
  refresh(): Promise<void>;
  /**
   * Stops a plugin. Rejects with `ERR_PLUGIN_IN_USE` while it has networks, unless `force` is set: they then stay as they
   * are, with links and rules, and their ids are returned; a plugin that registers their type later serves them again. For an
   * unknown option rejects with `ERR_OPTIONS`.
   */
  unload(id: string, options?: UnloadOptions): Promise<Unloaded>;
  /**
   * Opens a Unix socket (mode 0600, owned by the data folder's owner) through which an operator sees and steers the host: the API of
   * src/control/README.md, and the commands `bulkhead ps`, `status`, `logs` and others. Its folder is created if needed, and a socket
   * that a killed host left is replaced. Rejects with `ERR_CONTROL_SOCKET`.
   */
  control(path: string): Promise<ControlSocket>;
  /** Resolves with the host's metrics in Prometheus' text format (src/control/README.md lists them), for a server of the platform's. */
  metrics(): Promise<string>;
  on<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost;
  once<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost;
  off<N extends HostEventName>(name: N, listener: HostListener<N>): PluginHost;
  /** Refuses new calls, gives pending ones 5 s, then ends everything. A second call is harmless. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
