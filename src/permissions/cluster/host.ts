/** `cluster`, on the host's side: reads one plugin's requests, judges them, and carries them out. */
import { randomUUID } from "node:crypto";
import { Rate } from "../../common/rate.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import { HostTime } from "../host-time.js";
import type { HostPower, PowerMethod } from "../permission.js";
import { type ClusterBackend, type StoreEntry, StoreError } from "./backend.js";
import { failed, unknownOutcome } from "./errors.js";
import type { ClusterLimits } from "./grant.js";
import { Leases } from "./leases.js";
import type { ClusterFigures } from "./limits.js";
import { PluginCluster } from "./operator.js";
import { CLUSTER_OPS, type ClusterRequest, parseRequest } from "./request.js";
import { ALIVE, checkRules } from "./rules.js";
import { Space } from "./space.js";
import type { ClusterTally } from "./tally.js";
import { Watches, type WatchState } from "./watches.js";

/** What `createClusterPower` needs. */
export interface ClusterPowerOptions {
  readonly plugin: string;
  readonly limits: ClusterLimits;
  readonly backend: ClusterBackend;
  /** The beginning of all keys of Bulkhead's in the store. */
  readonly prefix: string;
  readonly figures: ClusterFigures;
  readonly time: HostTime;
  readonly tally: ClusterTally;
  /** Called with a sentence for the operator's log. */
  warn(words: string): void;
}

/** One plugin's cluster on this host: what its workers ask for, and what its operator does. */
export interface OpenCluster {
  /**
   * Serves `cluster.OP [request]` for each of `CLUSTER_OPS`, and `cluster.next [worker, ready]`, which resolves with events. Values travel
   * to the worker as JSON text.
   */
  readonly power: HostPower;
  readonly operator: PluginCluster;
  readonly limits: ClusterLimits;
  /** Returns how many keys and bytes the plugin has over all hosts. Rejects with `StoreError` or `DriverError`. */
  usage(): Promise<{ readonly keys: number; readonly bytes: number }>;
  watches(): readonly WatchState[];
  /** The keys of its leases on this host. */
  leases(): readonly string[];
}

export function createClusterPower(options: ClusterPowerOptions): OpenCluster {
  const power = new ClusterPower(options);
  const { plugin, limits, figures, tally } = options;
  const space = new Space({ ...options, time: new HostTime() });
  return {
    power: {
      methods: new Map([
        ...CLUSTER_OPS.map((op): readonly [string, PowerMethod] => [
          `cluster.${op}`,
          (args) => tally.count(async () => power.serve(parseRequest(plugin, op, args))),
        ]),
        [
          "cluster.next",
          ([worker, ready]: readonly Json[]) =>
            power.next(typeof worker === "string" ? worker.slice(0, 64) : "", ready === true),
        ],
      ]),
      close: () => power.close(),
    },
    operator: new PluginCluster({ plugin, space, figures, held: () => new Set(power.leases()) }),
    limits,
    usage: () => space.usage(performance.now() + figures.operatorMs),
    watches: () => power.watches(),
    leases: () => power.leases(),
  };
}

class ClusterPower {
  readonly #options: ClusterPowerOptions;
  readonly #space: Space;
  readonly #watches: Watches;
  readonly #leases: Leases;
  readonly #rate: Rate;
  #waiting = 0;
  #closed = false;

  constructor(options: ClusterPowerOptions) {
    const { figures, warn, limits, tally } = options;
    this.#options = options;
    this.#space = new Space(options);
    this.#watches = new Watches({ space: this.#space, figures, warn, stale: () => tally.noteStale() });
    this.#leases = new Leases({
      plugin: options.plugin,
      space: this.#space,
      member: randomUUID().slice(0, 13),
      figures,
      warn,
      silentMs: (worker) => this.#watches.silentMs(worker),
    });
    this.#rate = new Rate(limits.requestsPerSecond);
  }

  async serve(request: ClusterRequest): Promise<Json> {
    const { plugin, limits, figures } = this.#options;
    const { op } = request;
    if (this.#closed) throw failed(plugin, op, "the plugin's grant has ended");
    checkRules(request, {
      plugin,
      limits,
      watching: this.#watches.of("worker" in request ? request.worker : ""),
      leases: this.#leases.names,
      aliveKeys: this.#leases.keys,
      spend: (requests) => this.#rate.spend(requests),
    });
    if (this.#waiting >= figures.waiting) {
      const why = `more than ${figures.waiting} requests of plugin "${plugin}" are waiting; await their replies`;
      throw new DriverError("ERR_PERMISSION_LIMIT", `cluster.${op}: ${why}`, { plugin });
    }
    this.#waiting++;
    try {
      return await this.#carryOut(request, performance.now() + figures.requestMs);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw error.unknown
        ? unknownOutcome(plugin, op, error.message, error.cause)
        : failed(plugin, op, error.message, error.cause);
    } finally {
      this.#waiting--;
    }
  }

  next(worker: string, ready: boolean): Promise<Json> {
    if (this.#closed) throw failed(this.#options.plugin, "next", "the plugin's grant has ended");
    const events = this.#watches.next(worker, ready);
    if (events) return events;
    throw failed(this.#options.plugin, "next", "the worker's watches have ended, since two later workers have come");
  }

  watches(): readonly WatchState[] {
    return this.#watches.list();
  }

  leases(): readonly string[] {
    return [...this.#leases.keys];
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#space.close();
    this.#watches.close();
    await this.#leases.close();
  }

  async #carryOut(request: ClusterRequest, until: number): Promise<Json> {
    const space = this.#space;
    switch (request.op) {
      case "get": {
        const entry = await space.get(request.key);
        return entry ? told(entry) : null;
      }
      case "list": {
        const { entries, revision } = await space.list(request.prefix, until);
        return { entries: entries.map(told), revision };
      }
      case "create":
        return space.create(request.key, request.text, until);
      case "compareAndSet":
        return space.compareAndSet(request.key, request.revision, request.text, until);
      case "delete":
        if (request.key.startsWith(ALIVE)) return (await this.#leases.end(request.key)) ? 1 : null;
        return space.delete(request.key, request.revision, until);
      case "watch":
        this.#watches.add(request.worker, request.id, request.prefix, request.from);
        return null;
      case "unwatch":
        this.#watches.remove(request.worker, request.id);
        return null;
      case "lease":
        this.#watches.meet(request.worker);
        return this.#leases.hold(request.name, request.worker, request.text);
    }
  }
}

function told({ key, text, revision }: StoreEntry): Json {
  return { key, text, revision };
}
