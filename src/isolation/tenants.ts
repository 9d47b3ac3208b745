/** The plugins in one host process. */
import type { Link } from "./link.js";

/** A plugin whose worker is in a host process, or is about to be. */
export interface Tenant {
  readonly plugin: string;
  readonly clean: () => boolean;
  readonly move: () => void;
}

export class Tenants {
  readonly #reserved = new Set<Tenant>();
  readonly #present = new Map<Link, Tenant>();

  get size(): number {
    return this.#reserved.size + this.#present.size;
  }

  /** Plugins whose workers are being opened. */
  get coming(): number {
    return this.#reserved.size;
  }

  /** Keeps a place for a plugin whose worker is being opened. Returns a function that gives it up. */
  reserve(tenant: Tenant): () => void {
    this.#reserved.add(tenant);
    return () => this.#reserved.delete(tenant);
  }

  add(link: Link, tenant: Tenant): void {
    this.#present.set(link, tenant);
  }

  /** Called when the worker's thread has exited. */
  delete(link: Link): void {
    this.#present.delete(link);
  }

  /** Returns true if `clean()` of every plugin here equals `clean`: clean and crashed plugins do not share a process. */
  allAre(clean: boolean): boolean {
    return [...this.#reserved, ...this.#present.values()].every((tenant) => tenant.clean() === clean);
  }

  /** Returns the plugins whose code has run here and may still run, each once. */
  residents(): readonly Tenant[] {
    return [...new Map([...this.#present.values()].map((tenant) => [tenant.plugin, tenant])).values()];
  }
}
