/** Interfaces of a permission's two halves, on the host's side and in the worker. */
import type { Json } from "../driverapi/json.js";

/** Serves one request of a plugin; `args` are plain JSON, but otherwise hostile. Throws `DriverError`. */
export type PowerMethod = (args: readonly Json[]) => Json | Promise<Json>;

/** Takes one notice of a plugin. There is no reply, and it does not throw. */
export type PowerNotice = (args: readonly Json[]) => void;

/** The host half of one plugin's permission. It outlives the plugin's workers. */
export interface HostPower {
  /** Requests by full name (`"store.get"`). */
  readonly methods?: ReadonlyMap<string, PowerMethod>;
  /** Notices by full name (`"log.write"`). */
  readonly notices?: ReadonlyMap<string, PowerNotice>;
  /** Called once, when the plugin is unloaded. */
  close?(): void | Promise<void>;
}

/** How a worker half reaches its host half. */
export interface HostPort {
  /** Sends a request; rejects with a plain Error that carries `code`. */
  request(name: string, args: readonly Json[]): Promise<Json>;
  /** Sends a notice; it is dropped silently when the link is out of credits. */
  notify(name: string, args: readonly Json[]): void;
}

/** What a worker half adds to the compartment, which hardens all of it before use. */
export interface Endowment {
  /** Globals of the compartment, by name. */
  readonly globals?: Readonly<Record<string, unknown>>;
  /** `powers.NAME`, if the permission has one. */
  readonly power?: unknown;
  /** Called when the worker is about to end. */
  stop?(): void;
}
