/** What the two halves of a permission look like. A permission's host half and worker half live in one folder and mirror each other. */
import type { Json } from "../driverapi/json.js";

/** Serves one request of a plugin; `args` are plain JSON, but otherwise hostile. Throws `DriverError`. */
export type PowerMethod = (args: readonly Json[]) => Json | Promise<Json>;

/** Takes one notice of a plugin: no answer, no throw. */
export type PowerNotice = (args: readonly Json[]) => void;

/** What a grant opens on the host's side, for one plugin. It outlives the plugin's workers. */
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
  /** One request; rejects with a plain Error that carries `code`. */
  request(name: string, args: readonly Json[]): Promise<Json>;
  /** One notice; dropped silently when the link is out of credits. */
  notify(name: string, args: readonly Json[]): void;
}

/** What a worker half gives to the compartment. Everything in it is hardened by the compartment before use. */
export interface Endowment {
  /** Globals of the compartment, by name. */
  readonly globals?: Readonly<Record<string, unknown>>;
  /** `powers.NAME`, if the permission has one. */
  readonly power?: unknown;
  /** Called when the worker is about to end. */
  stop?(): void;
}
