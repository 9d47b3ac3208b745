/** Chooses the store for `cluster`: the operator's etcd, one in memory, or none, which fails every request. */
import { type ClusterBackend, StoreError } from "./backend.js";
import { EtcdStore } from "./etcd/etcd-store.js";
import type { ClusterFigures } from "./limits.js";
import { MemoryClusterStore } from "./memory/memory-store.js";
import type { ClusterOptions } from "./options.js";

export function openClusterStore(options: ClusterOptions | undefined, figures: ClusterFigures): ClusterBackend {
  if (options === undefined) return NO_STORE;
  return options.store === "etcd" ? new EtcdStore(options, figures) : new MemoryClusterStore();
}

async function none(): Promise<never> {
  throw new StoreError('this host has no store for hosts to share; the operator names one with the option "cluster"');
}

const NO_STORE: ClusterBackend = {
  read: none,
  commit: none,
  lease: none,
  watch: (_range, _from, sink) => {
    const timer = setImmediate(() => sink.ended("lost", "this host has no store for hosts to share"));
    return () => clearImmediate(timer);
  },
  async close() {},
};
