/** The hosts that an operator says are gone (`bulkhead cluster fence`), as the shared store tells, and this host's word that it is alive. */
import type { ClusterEvent, ClusterPower, Json } from "bulkhead/plugin";

const FENCED = "fenced/";

/** What it tells of. */
export interface FencedListener {
  /** The hosts have changed. */
  changed(): Promise<void>;
  log(level: "info" | "warn" | "error", words: string, fields: Readonly<Record<string, string>>): void;
  /** Calls later, after the pause for a watch that has ended. */
  later(work: () => void): void;
}

export class FencedHosts {
  #names: ReadonlySet<string> = new Set();
  /** Why the store did not take this host's word, as last logged. */
  #refusal: string | undefined;
  readonly #cluster: Pick<ClusterPower, "watch" | "lease">;
  readonly #listener: FencedListener;

  constructor(cluster: Pick<ClusterPower, "watch" | "lease">, listener: FencedListener) {
    this.#cluster = cluster;
    this.#listener = listener;
  }

  /** Their names; those that were known last while the store is out of reach. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Begins to follow them, and begins again whenever the watch ends. Does not reject. */
  follow(): void {
    const again = (words: string): void => {
      this.#listener.log("warn", "the hosts that are gone are not followed; it is tried again", { error: words });
      this.#listener.later(() => this.follow());
    };
    const handle = async (event: ClusterEvent): Promise<void> => {
      if (event.type === "end") again(event.code);
      else if (this.#keep(event)) await this.#listener.changed();
    };
    this.#cluster.watch(FENCED, handle).catch((error: unknown) => again(String(error)));
  }

  /** Says that a host is alive, for `bulkhead cluster hosts`, now and after every pause until the store takes it. Does not reject. */
  sayAlive(host: string, value: Json): void {
    this.#cluster.lease(host, value).then(
      () => {
        this.#refusal = undefined;
      },
      (error: unknown) => {
        const words = String(error);
        if (words !== this.#refusal)
          this.#listener.log("warn", "the store does not say that this host is alive; it is tried again", {
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
