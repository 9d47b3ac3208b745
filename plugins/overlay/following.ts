/** Follows the shared networks with one watch for all networks of this host. */
import type { ClusterEvent, ClusterPower, Json } from "bulkhead/plugin";
import { NETWORKS, readNetwork } from "./documents.ts";
import type { Seen } from "./shared.ts";

/** Receives the changes. */
export interface Listener {
  /** A network has changed; `seen` is undefined if it no longer exists. */
  changed(name: string, seen: Seen | undefined, revision: number): Promise<void>;
  /** All changes up to a revision have been reported: called at the beginning, after a gap, and every few seconds. */
  complete(): Promise<void>;
  log(level: "info" | "warn" | "error", words: string, fields: Readonly<Record<string, string>>): void;
  /** Calls later, after the pause for a watch that has ended. */
  later(work: () => void): void;
}

export class Following {
  /** The networks as last reported; undefined for a value that cannot be read. */
  readonly #latest = new Map<string, Seen | undefined>();
  readonly #cluster: Pick<ClusterPower, "watch">;
  readonly #listener: Listener;
  #revision = 0;
  #listed = false;
  /** Whether the last event said that what is known may be old. */
  stale = false;

  constructor(cluster: Pick<ClusterPower, "watch">, listener: Listener) {
    this.#cluster = cluster;
    this.#listener = listener;
  }

  /** Begins, and begins again whenever the watch ends. Does not reject. */
  start(): void {
    const again = (words: string): void => {
      this.#listener.log("warn", "the watch of shared networks failed; it is opened again", { error: words });
      this.#listener.later(() => this.start());
    };
    const handle = async (event: ClusterEvent): Promise<void> => {
      try {
        await this.#handle(event);
      } catch (error) {
        this.#listener.log("error", "a change by another host could not be applied; it is tried again", {
          error: error instanceof Error ? error.message : String(error),
        });
      }
      if (event.type === "end") again(event.code);
    };
    this.#cluster.watch(NETWORKS, handle).catch((error: unknown) => again(String(error)));
  }

  /** Returns the networks known, by name. */
  get networks(): ReadonlyMap<string, Seen> {
    return new Map([...this.#latest].flatMap(([name, seen]) => (seen ? [[name, seen] as const] : [])));
  }

  /** Reports what is known of one network; does nothing before the first list. */
  async tell(name: string): Promise<void> {
    if (!this.#listed || (this.#latest.has(name) && this.#latest.get(name) === undefined)) return;
    await this.#listener.changed(name, this.#latest.get(name), this.#revision);
  }

  async #handle(event: ClusterEvent): Promise<void> {
    if (event.type === "end") return;
    this.stale = event.type === "stale";
    switch (event.type) {
      case "resync": {
        const gone = new Set(this.#latest.keys());
        this.#latest.clear();
        for (const { key, value, revision } of event.entries) gone.delete(this.#keep(key, value, revision));
        this.#revision = event.revision;
        this.#listed = true;
        for (const name of [...gone, ...this.#latest.keys()]) await this.tell(name);
        return this.#listener.complete();
      }
      case "put":
        this.#revision = event.revision;
        return this.tell(this.#keep(event.key, event.value, event.revision));
      case "delete": {
        const name = event.key.slice(NETWORKS.length);
        this.#latest.delete(name);
        this.#revision = event.revision;
        return this.tell(name);
      }
      case "progress":
        this.#revision = event.revision;
        return this.#listener.complete();
      case "stale":
        this.#listener.log("warn", "the store that hosts share has not answered: the hosts known so far are kept", {
          ms: String(event.ms),
        });
    }
  }

  #keep(key: string, value: Json, revision: number): string {
    const name = key.slice(NETWORKS.length);
    try {
      this.#latest.set(name, { network: readNetwork(value), revision });
    } catch (error) {
      // The hosts set before stay: a damaged value does not say which hosts are in the network.
      this.#latest.set(name, undefined);
      this.#listener.log("error", "the shared value of a network is damaged, and is not followed", {
        network: name,
        error: error instanceof Error ? error.message : String(error),
      });
    }
    return name;
  }
}
