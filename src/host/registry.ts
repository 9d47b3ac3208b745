/** Which plugin serves which network type. Each type of a host has one owner. */
import { DriverError } from "../driverapi/errors.js";
import { MemoryOwners, type TypeOwners } from "../storage/owners.js";
import type { DriverService } from "./calls/driver-service.js";

interface Registered {
  readonly plugin: string;
  /** undefined while the registration is pending. */
  service: DriverService | undefined;
}

export class DriverRegistry {
  readonly #types = new Map<string, Registered>();
  readonly #isPlugin: (id: string) => boolean;
  /** Types that had networks in the journal at the start, or when they were last unregistered; a plugin may serve them by now. */
  readonly journalled: Set<string> = new Set();
  /** The plugins that made the networks of each type. */
  owners: TypeOwners = new MemoryOwners();

  /** `isPlugin`: whether a plugin with that id is in the plugins folder, loaded or not. */
  constructor(isPlugin: (id: string) => boolean) {
    this.#isPlugin = isPlugin;
  }

  /** Returns the plugin that made a type's networks; undefined if it has none, or they are `plugin`'s own. */
  foreignOwner(type: string, plugin: string): string | undefined {
    const owner = this.journalled.has(type) ? this.owners.of(type) : undefined;
    return owner === plugin ? undefined : owner;
  }

  /**
   * Reserves a type for a plugin until it is set or released. A type named like another plugin's id belongs to that plugin,
   * even while it is not loaded, so that the order of starts does not matter. `mayTake`: the operator hands over networks
   * that another plugin made. Throws `ERR_DRIVER_EXISTS`, `ERR_TYPE_OWNED`.
   */
  reserve(type: string, plugin: string, mayTake = false): void {
    if (!mayTake && this.foreignOwner(type, plugin) !== undefined)
      throw new DriverError(
        "ERR_TYPE_OWNED",
        `type "${type}" has networks that another plugin made; to hand them over: bulkhead grant ${plugin} --take-type ${type}`,
        { plugin, driver: type },
      );
    const claimed = type !== plugin && this.#isPlugin(type);
    if (!claimed && !this.#types.has(type)) {
      this.#types.set(type, { plugin, service: undefined });
      return;
    }
    const why = claimed ? "; it is the id of another plugin" : "";
    throw new DriverError("ERR_DRIVER_EXISTS", `Driver already registered for type "${type}"${why}`, {
      plugin,
      driver: type,
    });
  }

  /** Returns a type's owner, for the operator; plugins are not told. */
  owner(type: string): string | undefined {
    return this.#types.get(type)?.plugin;
  }

  /** Lists the registered drivers of a plugin. */
  servicesOf(plugin: string): readonly DriverService[] {
    return [...this.#types.values()].flatMap((one) => (one.plugin === plugin && one.service ? [one.service] : []));
  }

  set(type: string, service: DriverService): void {
    const entry = this.#types.get(type);
    if (entry) entry.service = service;
  }

  release(type: string): void {
    this.#types.delete(type);
  }

  /**
   * Returns a type's service. Throws `ERR_DRIVER_NOT_FOUND`, or `ERR_PLUGIN_UNAVAILABLE` for a type that the journal knows
   * and no plugin registers.
   */
  find(type: unknown): DriverService {
    const service = typeof type === "string" ? this.#types.get(type)?.service : undefined;
    if (service) return service;
    if (typeof type === "string" && this.journalled.has(type)) {
      throw new DriverError(
        "ERR_PLUGIN_UNAVAILABLE",
        `no plugin registers type "${type}", which has networks from before; put its plugin back`,
        { driver: type },
      );
    }
    const known = [...this.#types.keys()].join(", ") || "none";
    throw new DriverError(
      "ERR_DRIVER_NOT_FOUND",
      `no driver of type ${JSON.stringify(String(type).slice(0, 64))} is registered (registered: ${known})`,
      { driver: String(type).slice(0, 64) },
    );
  }
}
