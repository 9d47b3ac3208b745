/** What an operator sees and states of the state that hosts share. */
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { OpenCluster } from "../permissions/cluster/host.js";
import { isHostName } from "../permissions/cluster/rules.js";
import type {
  ClusterHost,
  ClusterPlugin,
  ClusterStatus,
  FenceReply,
  FenceRequest,
  PluginFence,
} from "./cluster-types.js";
import { RequestError } from "./request-error.js";

/** Carries out a change of one plugin's keys between two audit lines. */
type Audited = <T>(plugin: string, what: string, more: string, work: () => Promise<T>) => Promise<T>;

/** Shows the store, which is asked now, and what plugins use of it. */
export async function clusterStatus({ cluster }: OperatorHost): Promise<ClusterStatus> {
  const plugins = await Promise.all(
    [...cluster.plugins].map(async ([plugin, opened]): Promise<ClusterPlugin> => {
      const { limits } = opened;
      const { keys = null, bytes = null, problem = null } = await usageOf(opened);
      const tally = cluster.tallies.get(plugin);
      return {
        plugin,
        keys: { used: keys, granted: limits.keys },
        bytes: { used: bytes, granted: limits.bytes },
        problem,
        watches: opened.watches(),
        watchesGranted: limits.watches,
        leases: opened.leases(),
        requests: Object.fromEntries(tally?.requests ?? []),
        stale: tally?.stale ?? 0,
      };
    }),
  );
  const { answers = null, failingSince, problem = null, requests, failures } = cluster.health();
  const since = failingSince === undefined ? null : new Date(failingSince).toISOString();
  return { store: { ...cluster.store, answers, failingSince: since, problem, requests, failures }, plugins };
}

/** Lists the hosts of all plugins that are granted `cluster`. Rejects with `ERR_CLUSTER_FAILED`. */
export async function clusterHosts({ cluster }: OperatorHost): Promise<readonly ClusterHost[]> {
  const all = await Promise.all([...cluster.plugins.values()].map(({ operator }) => operator.hosts()));
  return all.flat();
}

/**
 * States that a host is gone, or with `undo` that it is not, for each plugin or for one. Without `force`, nothing is stated if the host
 * is alive for any of them (`ERR_CLUSTER_FENCE`).
 */
export async function fence(
  host: OperatorHost,
  name: string,
  { plugin, reason, force = false, undo = false }: FenceRequest,
  audited: Audited,
): Promise<FenceReply> {
  if (!isHostName(name))
    throw new RequestError("path: a host is named by letters, digits and . _ : @ % + = , ~ -, 64 at most", "path");
  const chosen = pluginsFor(host, plugin);
  if (!force && !undo) await Promise.all(chosen.map(([, { operator }]) => operator.assertGone(name)));
  const plugins: PluginFence[] = [];
  for (const [id, { operator }] of chosen) {
    const more = undo ? "" : `${force ? "; although it may be alive" : ""}; reason: ${reason ?? "none"}`;
    const work = (): Promise<PluginFence> => (undo ? operator.unfence(name) : operator.fence(name, reason, force));
    plugins.push(await audited(id, `${undo ? "unfence" : "fence"} ${name}`, more, work));
  }
  return { host: name, plugins };
}

function pluginsFor(host: OperatorHost, plugin: string | undefined): readonly (readonly [string, OpenCluster])[] {
  const { plugins } = host.cluster;
  if (plugin === undefined && plugins.size > 0) return [...plugins];
  const opened = plugin === undefined ? undefined : plugins.get(plugin);
  if (plugin !== undefined && opened) return [[plugin, opened]];
  if (plugin !== undefined) host.plugin(plugin);
  const who = plugin === undefined ? "no plugin of this host is" : `plugin "${plugin}" is not`;
  throw new DriverError("ERR_CLUSTER_FENCE", `${who} granted "cluster", so there are no keys to fence a host in`, {
    plugin,
  });
}

async function usageOf(opened: OpenCluster): Promise<{ keys?: number; bytes?: number; problem?: string }> {
  try {
    return await opened.usage();
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
