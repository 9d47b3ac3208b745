/** Limits the queries of one listener, in all and per client: those in a second, and those without an answer. */
import { Rate } from "../../../common/rate.js";
import type { Listener } from "../backend.js";
import { RESOLVER } from "../limits.js";

export class ClientLimits {
  readonly #perSecond: number;
  readonly #outstanding: number;
  readonly #all: Rate;
  #clients = new Map<string, Rate>();
  readonly #open = new Map<string, number>();
  #opened = 0;

  constructor({ queriesPerSecond, outstanding }: Pick<Listener, "queriesPerSecond" | "outstanding">) {
    this.#perSecond = queriesPerSecond;
    this.#outstanding = outstanding;
    this.#all = new Rate(queriesPerSecond);
  }

  /** Takes a query of a client; returns false if it is one too many. */
  take(client: string): boolean {
    const share = (most: number): number => Math.max(1, Math.ceil(most * RESOLVER.clientShare));
    if (this.#opened >= this.#outstanding || (this.#open.get(client) ?? 0) >= share(this.#outstanding)) return false;
    if (this.#clients.size >= RESOLVER.clients && !this.#clients.has(client)) this.#clients.clear();
    const rate = this.#clients.get(client) ?? new Rate(share(this.#perSecond));
    this.#clients.set(client, rate);
    // A query over the client's share does not count against the total.
    if (!rate.spend(1) || !this.#all.spend(1)) return false;
    this.#open.set(client, (this.#open.get(client) ?? 0) + 1);
    this.#opened++;
    return true;
  }

  /** To be called when a query is answered or given up. */
  done(client: string): void {
    const open = (this.#open.get(client) ?? 1) - 1;
    if (open > 0) this.#open.set(client, open);
    else this.#open.delete(client);
    this.#opened--;
  }
}
