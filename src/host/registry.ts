/** Which plugin serves which network type. One host, one owner per type. */
import { DriverError } from "../driverapi/errors.js";
import type { DriverService } from "./calls/driver-service.js";

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

  /** `isPlugin`: whether a plugin of that id stands in the plugins folder, loaded or not. */
  constructor(isPlugin: (id: string) => boolean) {
    this.#isPlugin = isPlugin;
  }

  /**
   * Reserves a type for a plugin until it is set or released. A type named as another plugin's id is that plugin's alone, also
   * while it is not loaded: whoever starts first takes nothing. Throws `ERR_DRIVER_EXISTS`.
   */
  reserve(type: string, plugin: string): void {
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
