/** Chooses the store for `cluster`: the operator's etcd, one in the data folder or in memory, or none, which fails every request. */
import { type ClusterBackend, StoreError } from "./backend.js";
import { EtcdStore } from "./etcd/etcd-store.js";
import type { ClusterFigures } from "./limits.js";
import { LocalClusterStore } from "./local/local-store.js";
import type { KeptKeys } from "./memory/kept-keys.js";
import { MemoryClusterStore } from "./memory/memory-store.js";
import type { ClusterOptions } from "./options.js";

/** `kept`: the keys in the host's data folder, if it has one. */
export function openClusterStore(
  options: ClusterOptions | undefined,
  figures: ClusterFigures,
  kept: KeptKeys | undefined,
): ClusterBackend {
  switch (options?.store) {
    case "etcd":
      return new EtcdStore(options, figures);
    case "memory":
      return new MemoryClusterStore();
    case "local":
      return kept ? new LocalClusterStore(kept) : noStore('the store "local" needs a data folder (dataDir)');
    case undefined:
      return noStore('this host has no store for hosts to share; the operator names one with the option "cluster"');
  }
}

function noStore(why: string): ClusterBackend {
  const none = async (): Promise<never> => {
    throw new StoreError(why);
  };
  return {
    read: none,
    commit: none,
    lease: none,
    watch: (_range, _from, sink) => {
      const timer = setImmediate(() => sink.ended("lost", why));
      return () => clearImmediate(timer);
    },
    async close() {},
  };
}
