/** Every store for `cluster`, each with hosts on it, for tests that hold of all. */

import { randomBytes } from "node:crypto";
import type { Json } from "#dist/driverapi/json.js";
import type { ClusterBackend } from "#dist/permissions/cluster/backend.js";
import { EtcdStore } from "#dist/permissions/cluster/etcd/etcd-store.js";
import { type ClusterLimits, clusterDefaults } from "#dist/permissions/cluster/grant.js";
import { type ClusterHub, createClusterHub } from "#dist/permissions/cluster/hub.js";
import { CLUSTER, type ClusterFigures } from "#dist/permissions/cluster/limits.js";
import { LocalClusterStore } from "#dist/permissions/cluster/local/local-store.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import type { PluginCluster } from "#dist/permissions/cluster/operator.js";
import type { ClusterOptions } from "#dist/permissions/cluster/options.js";
import { HostTime } from "#dist/permissions/host-time.js";
import type { HostPower } from "#dist/permissions/permission.js";
import { ClusterKeys } from "#dist/storage/cluster-keys.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import type { Suite, TestContext } from "../../harness.js";
import { type LogLine, recorder } from "../../kit/logger.js";
import { NEWER_ETCD, noEtcd, noNewerEtcd, startEtcd } from "./etcd.js";

export const KINDS = ["memory", "local", "etcd", "newer etcd"] as const;
export type Kind = (typeof KINDS)[number];

/** A plugin's power on one host. */
export interface Opened {
  ask(method: string, ...args: Json[]): Promise<Json>;
  readonly power: HostPower;
}

/** One host. */
export interface TestHost {
  readonly hub: ClusterHub;
  open(plugin?: string, limits?: Partial<ClusterLimits>): Opened;
  /** What it has logged. */
  readonly log: readonly LogLine[];
}

/** Starts a host on a store. It is closed after the test. */
export function hostOn(
  t: TestContext,
  store: { readonly use?: ClusterBackend; readonly options?: ClusterOptions },
  figures: Partial<ClusterFigures> = {},
): TestHost {
  const { logger, log } = recorder();
  const hub = createClusterHub({ ...store, logger, figures });
  t.cleanup(() => hub.close());
  return {
    hub,
    log,
    open(plugin = "overlay", limits = {}) {
      const power = hub.open(plugin, { ...clusterDefaults, requestsPerSecond: 10_000, ...limits }, new HostTime());
      t.cleanup(() => power.close?.());
      return {
        power,
        // Joined by JSON text, as the link joins them.
        async ask(method, ...args) {
          const serve = power.methods?.get(`cluster.${method}`);
          if (!serve) throw new Error(`there is no cluster.${method}`);
          const reply = await serve(JSON.parse(JSON.stringify(args)) as Json[]);
          return JSON.parse(JSON.stringify(reply)) as Json;
        },
      };
    },
  };
}

/** A store with nothing in it, and ways to disturb it as its operator may. */
export interface TestStore {
  readonly backend: ClusterBackend;
  /** A host of the test's own on the same store. */
  host(figures?: Partial<ClusterFigures>): TestHost;
  /** Writes a key as somebody else; `text` undefined: deletes it. */
  meddle(key: string, text: string | undefined): Promise<void>;
  compact(): Promise<void>;
}

/** Starts an empty store. Hosts name no prefix, so the keys begin with "bulkhead". */
async function startStore(t: TestContext, kind: Kind): Promise<TestStore> {
  if (kind === "memory") {
    const backend = new MemoryClusterStore();
    t.cleanup(() => backend.close());
    return storeOf(t, backend, async () => {
      const { revision } = await backend.read({ from: "a", to: "b" });
      backend.compact(revision);
    });
  }
  if (kind === "local") {
    const state = await StateFile.open(statePaths(await t.folder()), "boot");
    t.cleanup(() => state.close());
    const backend = new LocalClusterStore(new ClusterKeys(state));
    t.cleanup(() => backend.close());
    return storeOf(t, backend, async () => {
      const { revision } = await backend.read({ from: "a", to: "b" });
      await backend.compact(revision);
    });
  }
  const etcd = await startEtcd(t, [], "http", kind === "etcd" ? undefined : NEWER_ETCD);
  const backend = new EtcdStore({ store: "etcd", endpoints: [etcd.url] }, CLUSTER);
  t.cleanup(() => backend.close());
  return storeOf(t, backend, async () => {
    const { revision } = await backend.read({ from: "a", to: "b" });
    await etcd.call("kv/compaction", { revision: String(revision), physical: true });
  });
}

function storeOf(t: TestContext, backend: ClusterBackend, compact: () => Promise<void>): TestStore {
  return {
    backend,
    host: (figures) => hostOn(t, { use: { ...withMethods(backend), close: async () => {} } }, figures),
    async meddle(key, text) {
      await backend.commit([], [{ key, text }]);
    },
    compact,
  };
}

/** The keys of a list. */
export function keysOf(listing: Json): readonly string[] {
  return (listing as { readonly entries: readonly { readonly key: string }[] }).entries.map(({ key }) => key);
}

/** A backend's methods as an object of its own, so that a test can replace some. */
export function withMethods(backend: ClusterBackend): ClusterBackend {
  return {
    read: (range, options) => backend.read(range, options),
    commit: (guards, writes) => backend.commit(guards, writes),
    watch: (range, from, sink) => backend.watch(range, from, sink),
    lease: (ttlMs) => backend.lease(ttlMs),
    close: () => backend.close(),
  };
}

/** Why there is no store of a kind here. */
const NEEDS = { etcd: noEtcd, "newer etcd": noNewerEtcd } as const;

/** Runs a test on every store. */
export function onEach(
  test: Suite,
  name: string,
  body: (t: TestContext, store: TestStore, kind: Kind) => unknown,
  ms = 30_000,
): void {
  for (const kind of KINDS)
    test(`${kind}: ${name}`, async (t) => body(t, await startStore(t, kind), kind), {
      ms,
      ...(kind === "memory" || kind === "local" ? {} : { needs: NEEDS[kind] }),
    });
}

/** A worker's part of a power: polls for events, and gives them one after another. */
export interface Listener {
  readonly worker: string;
  watch(prefix: string, from?: number, id?: number): Promise<void>;
  /** Resolves with the next change or list; `type`: with the next event of that type. */
  next(type?: string): Promise<Record<string, Json>>;
  /** All events so far that were not taken. */
  readonly left: readonly Record<string, Json>[];
}

/** Listens as a worker does, until the test ends. */
export function listener(t: TestContext, { ask }: Omit<Opened, "power"> & Partial<Opened>): Listener {
  const worker = randomBytes(4).toString("hex");
  const left: Record<string, Json>[] = [];
  let heard: () => void = () => {};
  let polling = false;
  let ended = false;
  t.cleanup(() => {
    ended = true;
  });
  const poll = async (): Promise<void> => {
    while (!ended) {
      const events = (await ask("next", worker, true)) as Record<string, Json>[];
      left.push(...events);
      if (events.length > 0) heard();
    }
  };
  return {
    worker,
    left,
    async watch(prefix, from, id = 1) {
      await ask("watch", { worker, id, prefix, ...(from === undefined ? {} : { from }) });
      if (polling) return;
      polling = true;
      void poll().catch(() => {});
    },
    async next(type) {
      for (;;) {
        const at = left.findIndex((one) =>
          type === undefined ? one.type !== "progress" && one.type !== "stale" : one.type === type,
        );
        const [found] = at < 0 ? [] : left.splice(at, 1);
        if (found) return found;
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
    },
  };
}

/** What an operator asks of a host about one plugin. */
export function operatorOf({ hub }: TestHost, plugin = "overlay"): PluginCluster {
  const opened = hub.plugins.get(plugin);
  if (!opened) throw new Error(`no plugin ${plugin}`);
  return opened.operator;
}
