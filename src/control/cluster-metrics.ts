/** Metrics of the state that hosts share. */
import type { MetricValue } from "prom-client";
import { escapeLine } from "../common/escape.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { OpenCluster } from "../permissions/cluster/host.js";
import type { ClusterTally } from "../permissions/cluster/tally.js";

type Value = MetricValue<string>;

interface ClusterMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  values(host: OperatorHost): readonly Value[];
}

export const CLUSTER_METRICS: readonly ClusterMetric[] = [
  {
    name: "bulkhead_cluster_requests_total",
    help: "Answered requests for state that hosts share, by plugin and code (ok for success).",
    type: "counter",
    values: tallied((labels, { requests }) =>
      [...requests].map(([code, value]) => ({ labels: { ...labels, code }, value })),
    ),
  },
  {
    name: "bulkhead_cluster_stale_total",
    help: "How often a watch became stale: nothing proved that it had missed nothing.",
    type: "counter",
    values: tallied((labels, { stale }) => [{ labels, value: stale }]),
  },
  {
    name: "bulkhead_cluster_watches",
    help: "Watches of the state that hosts share.",
    type: "gauge",
    values: opened((one) => one.watches().length),
  },
  {
    name: "bulkhead_cluster_stale_watches",
    help: "Those that are stale.",
    type: "gauge",
    values: opened((one) => one.watches().filter(({ stale }) => stale).length),
  },
  {
    name: "bulkhead_cluster_store_requests_total",
    help: "Requests to the store that hosts share.",
    type: "counter",
    values: used(({ requests }) => requests),
  },
  {
    name: "bulkhead_cluster_store_failures_total",
    help: "Those that failed.",
    type: "counter",
    values: used(({ failures }) => failures),
  },
  {
    name: "bulkhead_cluster_store_up",
    help: "1 if the store answered the last request.",
    type: "gauge",
    values: used(({ answers }) => (answers ? 1 : 0)),
  },
];

type Labels = Readonly<Record<string, string>>;

function tallied(of: (labels: Labels, tally: ClusterTally) => readonly Value[]): ClusterMetric["values"] {
  return ({ cluster }) => [...cluster.tallies].flatMap(([plugin, tally]) => of(label(plugin), tally));
}

function opened(of: (one: OpenCluster) => number): ClusterMetric["values"] {
  return ({ cluster }) => [...cluster.plugins].map(([plugin, one]) => ({ labels: label(plugin), value: of(one) }));
}

/** Returns values of the store: none before its first request. */
function used(of: (health: ReturnType<OperatorHost["cluster"]["health"]>) => number): ClusterMetric["values"] {
  return ({ cluster }) => {
    const health = cluster.health();
    return health.answers === undefined ? [] : [{ labels: {}, value: of(health) }];
  };
}

function label(plugin: string): Labels {
  return { plugin: escapeLine(plugin, 128) };
}
