/** Follows the hosts that an operator says are gone (`bulkhead cluster fence`), and keeps this host's lease, which says that it is alive. */
import type { ClusterEvent, ClusterPower, Json } from "bulkhead/plugin";

const FENCED = "fenced/";

/** Receives the changes. */
export interface FencedListener {
  /** The hosts have changed. */
  changed(): Promise<void>;
  log(level: "info" | "warn" | "error", words: string, fields: Readonly<Record<string, string>>): void;
  /** Calls later, after the pause for a watch that has ended. */
  later(work: () => void): void;
}

export class FencedHosts {
  #names: ReadonlySet<string> = new Set();
  /** Why the store did not accept this host's lease, as last logged. */
  #refusal: string | undefined;
  readonly #cluster: Pick<ClusterPower, "watch" | "lease">;
  readonly #listener: FencedListener;

  constructor(cluster: Pick<ClusterPower, "watch" | "lease">, listener: FencedListener) {
    this.#cluster = cluster;
    this.#listener = listener;
  }

  /** The names of the fenced hosts; while the store is out of reach, as last known. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Begins to follow them, and begins again whenever the watch ends. Does not reject. */
  follow(): void {
    const again = (words: string): void => {
      this.#listener.log("warn", "the watch of fenced hosts failed; it is opened again", { error: words });
      this.#listener.later(() => this.follow());
    };
    const handle = async (event: ClusterEvent): Promise<void> => {
      if (event.type === "end") again(event.code);
      else if (this.#keep(event)) await this.#listener.changed();
    };
    this.#cluster.watch(FENCED, handle).catch((error: unknown) => again(String(error)));
  }

  /** Takes the lease that `bulkhead cluster hosts` shows, and retries after a pause until the store accepts it. Does not reject. */
  sayAlive(host: string, value: Json): void {
    this.#cluster.lease(host, value).then(
      () => {
        this.#refusal = undefined;
      },
      (error: unknown) => {
        const words = String(error);
        if (words !== this.#refusal)
          this.#listener.log("warn", "the store did not accept this host's lease; it is tried again", {
            host,
            error: words,
          });
        this.#refusal = words;
        this.#listener.later(() => this.sayAlive(host, value));
      },
    );
  }

  /** Returns whether the event has changed anything. */
  #keep(event: ClusterEvent): boolean {
    const names = new Set(event.type === "resync" ? [] : this.#names);
    if (event.type === "resync") for (const { key } of event.entries) names.add(key.slice(FENCED.length));
    else if (event.type === "put") names.add(event.key.slice(FENCED.length));
    else if (event.type === "delete") names.delete(event.key.slice(FENCED.length));
    else return false;
    this.#names = names;
    return true;
  }
}
