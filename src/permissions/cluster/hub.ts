/** One host's way to the state that hosts share: opens the operator's store on first use, for all plugins. */
import type { OperatorLog } from "../../common/logger.js";
import type { HostTime } from "../host-time.js";
import type { HostPower } from "../permission.js";
import type { ClusterBackend } from "./backend.js";
import { openClusterStore } from "./choose.js";
import type { ClusterLimits } from "./grant.js";
import { createClusterPower, type OpenCluster } from "./host.js";
import { CLUSTER, type ClusterFigures } from "./limits.js";
import type { KeptKeys } from "./memory/kept-keys.js";
import { ObservedStore, type StoreHealth } from "./observed-store.js";
import { CLUSTER_PREFIX, type ClusterOptions } from "./options.js";
import { ClusterTally } from "./tally.js";

/** What `createClusterHub` takes. */
export interface ClusterHubOptions {
  /** The operator's store; absent: every request fails, and says which option is missing. */
  readonly options?: ClusterOptions | undefined;
  readonly logger: OperatorLog;
  /** The keys in the host's data folder; absent: it has none, and the store "local" fails every request. */
  readonly kept?: KeptKeys | undefined;
  /** Replaces the store. */
  readonly use?: ClusterBackend | undefined;
  /** Replaces some figures, for tests. */
  readonly figures?: Partial<ClusterFigures> | undefined;
}

/** The store, for the operator: nothing here is secret. */
export interface StoreView {
  /** Null: the host has none. */
  readonly kind: ClusterOptions["store"] | null;
  readonly endpoints: readonly string[];
  readonly prefix: string;
}

/** One host's cluster. */
export interface ClusterHub {
  /** Opens a plugin's power. */
  open(plugin: string, limits: ClusterLimits, time: HostTime): HostPower;
  readonly store: StoreView;
  health(): StoreHealth;
  /** The plugins whose power is open. */
  readonly plugins: ReadonlyMap<string, OpenCluster>;
  /** What each plugin has asked for since the host began. */
  readonly tallies: ReadonlyMap<string, ClusterTally>;
  /** Closes the store. Idempotent. */
  close(): Promise<void>;
}

/** Least time between two warnings about one plugin, in milliseconds: a plugin can cause them. */
const WARN_MS = 10_000;
const UNUSED: StoreHealth = {
  ...{ requests: 0, failures: 0, answers: undefined, failingSince: undefined, problem: undefined },
};

/** Opens the cluster of one host. Nothing is connected before the first request. */
export function createClusterHub({ options, logger, kept, use, figures: some }: ClusterHubOptions): ClusterHub {
  const figures = { ...CLUSTER, ...some };
  let store: ObservedStore | undefined;
  const prefix = options?.store === "etcd" ? (options.prefix ?? CLUSTER_PREFIX) : CLUSTER_PREFIX;
  const plugins = new Map<string, OpenCluster>();
  const tallies = new Map<string, ClusterTally>();
  return {
    open(plugin, limits, time) {
      store ??= new ObservedStore(use ?? openClusterStore(options, figures, kept));
      let warnedAt = Number.NEGATIVE_INFINITY;
      const warn = (words: string): void => {
        if (performance.now() - warnedAt < WARN_MS) return;
        warnedAt = performance.now();
        logger.warn({ plugin }, `cluster: ${words}`);
      };
      if (!use && !options)
        logger.warn(
          { plugin },
          'cluster: this host has no store for hosts to share; name one with the option "cluster"',
        );
      const tally = tallies.get(plugin) ?? new ClusterTally();
      tallies.set(plugin, tally);
      const opened = createClusterPower({ plugin, limits, backend: store, prefix, figures, time, tally, warn });
      plugins.set(plugin, opened);
      return {
        ...opened.power,
        close() {
          if (plugins.get(plugin) === opened) plugins.delete(plugin);
          return opened.power.close?.();
        },
      };
    },
    store: {
      kind: options?.store ?? null,
      endpoints: options?.store === "etcd" ? options.endpoints : [],
      prefix,
    },
    health: () => store?.health ?? UNUSED,
    plugins,
    tallies,
    async close() {
      await (store ?? use)?.close();
    },
  };
}
