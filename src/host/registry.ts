/** Which plugin serves which network type. One host, one owner per type. */
import { DriverError } from "../driverapi/errors.js";
import type { DriverService } from "./calls/driver-service.js";
import { MemoryOwners, type TypeOwners } from "./state/owners.js";

interface Registered {
  readonly plugin: string;
  /** undefined while the registration is under way. */
  service: DriverService | undefined;
}

export class DriverRegistry {
  readonly #types = new Map<string, Registered>();
  readonly #isPlugin: (id: string) => boolean;
  /** Types that nobody served when it was last looked, and that the journal has networks of. */
  readonly journalled: Set<string> = new Set();
  /** The plugins that made the networks of each type. */
  owners: TypeOwners = new MemoryOwners();

  /** `isPlugin`: whether a plugin of that id stands in the plugins folder, loaded or not. */
  constructor(isPlugin: (id: string) => boolean) {
    this.#isPlugin = isPlugin;
  }

  /** The plugin that made the networks a type has; undefined where it has none, or they are `plugin`'s own. */
  foreignOwner(type: string, plugin: string): string | undefined {
    const owner = this.journalled.has(type) ? this.owners.of(type) : undefined;
    return owner === plugin ? undefined : owner;
  }

  /**
   * Reserves a type for a plugin until it is set or released. A type named as another plugin's id is that plugin's alone, also
   * while it is not loaded: whoever starts first takes nothing. `mayTake`: the operator hands over networks that another plugin made.
   * Throws `ERR_DRIVER_EXISTS`, `ERR_TYPE_OWNED`.
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

  /** Whose a type is, for the operator; a plugin is not told. */
  owner(type: string): string | undefined {
    return this.#types.get(type)?.plugin;
  }

  /** The drivers of a plugin that are registered. */
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

  /** Throws `ERR_DRIVER_NOT_FOUND`; for a type that the journal knows and no plugin registers, `ERR_PLUGIN_UNAVAILABLE`. */
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
