/** The plugins of a host that are being watched. While none is, a request costs one comparison. */
import type { Json } from "../driverapi/json.js";
import type { Observer } from "./observer.js";

export class UsageWatches {
  readonly #observers = new Map<string, Observer>();

  /** True while that plugin is watched. */
  watched(plugin: string): boolean {
    return this.#observers.size > 0 && this.#observers.has(plugin);
  }

  /** Watches a plugin. Returns a function that stops it; undefined if it is watched already. */
  begin(plugin: string, observer: Observer): (() => void) | undefined {
    if (this.#observers.has(plugin)) return undefined;
    this.#observers.set(plugin, observer);
    return () => void this.#observers.delete(plugin);
  }

  /** Notes a request that was carried out. */
  note(plugin: string, name: string, args: readonly Json[]): void {
    this.#observers.get(plugin)?.note(name, args);
  }
}
