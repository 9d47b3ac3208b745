/** The host's metrics in Prometheus' format. Values are read when they are asked for: a call only counts. */
import { type MetricType, type MetricValue, Registry } from "prom-client";
import { monotonicNow } from "../common/clock.js";
import { escapeLine } from "../common/escape.js";
import { isErrorCode } from "../driverapi/errors.js";
import { DURATION_BUCKETS, type MethodTally } from "../host/calls/tally.js";
import type { OperatorHost, OperatorPlugin } from "../host/operator-host.js";
import type { PluginState } from "../host/plugin/info.js";
import { CLUSTER_METRICS } from "./cluster-metrics.js";
import { CONTROL } from "./limits.js";

type StorageStatus = NonNullable<ReturnType<OperatorHost["storage"]>>;

type Value = MetricValue<string> & { readonly metricName?: string };

/** One metric: its name after Prometheus' conventions, what it says, and its values now. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  values(host: OperatorHost): readonly Value[];
}

const METRICS: readonly Metric[] = [
  {
    name: "bulkhead_calls_total",
    help: "Answered calls by plugin, network type, method and code (ok for success).",
    type: "counter",
    values: ofMethods((labels, { ok, errors }) => {
      const counts = new Map([["ok", ok]]);
      for (const [code, count] of errors) counts.set(codeLabel(code), (counts.get(codeLabel(code)) ?? 0) + count);
      return [...counts].map(([code, value]) => ({ labels: { ...labels, code }, value }));
    }),
  },
  {
    name: "bulkhead_call_duration_seconds",
    help: "Time from a call to its answer, waiting included.",
    type: "histogram",
    values: ofMethods(histogram),
  },
  perPlugin("bulkhead_calls_in_flight", "Calls in progress.", "gauge", ({ tally }) => tally.inFlight),
  perPlugin("bulkhead_call_timeouts_total", "Calls that passed their deadline.", "counter", count("timeouts")),
  perPlugin("bulkhead_plugin_restarts_total", "Restarts after a crash.", "counter", count("restarts")),
  perPlugin("bulkhead_plugin_violations_total", "Violations of the protocol.", "counter", count("violations")),
  {
    name: "bulkhead_plugin_kills_total",
    help: "Workers that the host terminated, by code.",
    type: "counter",
    values: (host) =>
      host
        .plugins()
        .flatMap((one) =>
          [...one.tally.kills].map(([code, value]) => ({ labels: { ...label(one), code: codeLabel(code) }, value })),
        ),
  },
  perPlugin(
    "bulkhead_plugin_memory_bytes",
    "Resident memory of its host process, other plugins in it included.",
    "gauge",
    ({ info }) => (info.counters.memoryMb === undefined ? undefined : info.counters.memoryMb * 1_048_576),
  ),
  perPlugin(
    "bulkhead_plugin_cpu_seconds_total",
    "CPU time of its workers.",
    "counter",
    ({ info }) => info.counters.cpuMs / 1000,
  ),
  perPlugin("bulkhead_plugin_up", "1 while its driver is in service.", "gauge", ({ info }) =>
    SERVING.has(info.state) ? 1 : 0,
  ),
  {
    name: "bulkhead_networks",
    help: "Networks that the host has recorded.",
    type: "gauge",
    values: (host) => recorded(host, () => 1),
  },
  {
    name: "bulkhead_endpoints",
    help: "Endpoints that the host has recorded.",
    type: "gauge",
    values: (host) => recorded(host, ({ endpoints }) => endpoints.size),
  },
  {
    name: "bulkhead_journal_flushes_total",
    help: "Flushes of the data folder's log to the disk.",
    type: "counter",
    values: stored(({ flushes }) => flushes.count),
  },
  {
    name: "bulkhead_journal_flush_seconds_total",
    help: "Time that those flushes took.",
    type: "counter",
    values: stored(({ flushes }) => flushes.ms / 1000),
  },
  {
    name: "bulkhead_journal_last_flush_seconds",
    help: "Time that the last of them took.",
    type: "gauge",
    values: stored(({ flushes }) => flushes.lastMs / 1000),
  },
  {
    name: "bulkhead_journal_log_bytes",
    help: "Bytes written to the data folder's log since the last checkpoint began.",
    type: "gauge",
    values: stored(({ logBytes }) => logBytes),
  },
  {
    name: "bulkhead_journal_row_bytes",
    help: "Bytes of all that the data folder holds at present.",
    type: "gauge",
    values: stored(({ rowBytes }) => rowBytes),
  },
  {
    name: "bulkhead_journal_reserve_bytes",
    help: "Bytes of the log that are kept for deletions on a full disk.",
    type: "gauge",
    values: stored(({ reserveBytes }) => reserveBytes),
  },
  {
    name: "bulkhead_journal_free_bytes",
    help: "Bytes that may still be written to the data folder's file system.",
    type: "gauge",
    values: stored(({ freeBytes }) => freeBytes),
  },
  ...CLUSTER_METRICS,
  {
    name: "bulkhead_host_memory_bytes",
    help: "Resident memory of the host's own process.",
    type: "gauge",
    values: () => [{ labels: {}, value: process.memoryUsage.rss() }],
  },
  {
    name: "bulkhead_host_cpu_seconds_total",
    help: "CPU time of the host's own process.",
    type: "counter",
    values: () => {
      const { user, system } = process.cpuUsage();
      return [{ labels: {}, value: (user + system) / 1_000_000 }];
    },
  },
];

const SERVING: ReadonlySet<PluginState> = new Set<PluginState>(["running", "orphaned"]);

/** The metrics' names, in order. */
export const METRIC_NAMES: readonly string[] = METRICS.map(({ name }) => name);

/**
 * Returns a function that resolves with a host's metrics. Requests within a second share one reading, so that many clients cost no more
 * than one.
 */
export function metricsOf(host: OperatorHost): () => Promise<string> {
  const registry = new Registry();
  for (const { name, help, type, values } of METRICS) {
    const get = async (): Promise<object> => ({ name, help, type, values: values(host), aggregator: "sum" });
    // prom-client's own classes count for themselves; the registry asks no more of a metric than `get`.
    registry.registerMetric({ name, help, get, type: type as unknown as MetricType } as never);
  }
  let reading: Promise<string> | undefined;
  let read = 0;
  return () => {
    const now = monotonicNow();
    if (reading !== undefined && now - read < CONTROL.metricsMs) return reading;
    read = now;
    const next = registry.metrics();
    reading = next;
    // A reading that failed is not given again.
    next.catch(() => {
      if (reading === next) reading = undefined;
    });
    return next;
  };
}

function perPlugin(
  name: string,
  help: string,
  type: Metric["type"],
  of: (plugin: OperatorPlugin) => number | undefined,
): Metric {
  const values = (host: OperatorHost): readonly Value[] =>
    host.plugins().flatMap((one) => {
      const value = of(one);
      return value === undefined ? [] : [{ labels: label(one), value }];
    });
  return { name, help, type, values };
}

/** Returns values of the data folder: none without one. */
function stored(of: (status: StorageStatus) => number | undefined): Metric["values"] {
  return (host) => {
    const status = host.storage();
    const value = status && of(status);
    return value === undefined ? [] : [{ labels: {}, value }];
  };
}

function count(name: "timeouts" | "restarts" | "violations"): (plugin: OperatorPlugin) => number {
  return ({ info }) => info.counters[name];
}

type Labels = Readonly<Record<string, string>>;

function ofMethods(of: (labels: Labels, tally: MethodTally) => readonly Value[]): Metric["values"] {
  return (host) =>
    host
      .plugins()
      .flatMap((one) =>
        [...one.tally.methods()].flatMap((tally) =>
          of({ ...label(one), driver: tally.type, method: tally.method }, tally),
        ),
      );
}

function histogram(labels: Labels, { buckets, totalMs }: MethodTally): readonly Value[] {
  const name = "bulkhead_call_duration_seconds";
  let total = 0;
  const values = [...DURATION_BUCKETS.map((ms) => String(ms / 1000)), "+Inf"].map((le, at): Value => {
    total += buckets[at] ?? 0;
    return { labels: { ...labels, le }, value: total, metricName: `${name}_bucket` };
  });
  return [
    ...values,
    { labels, value: totalMs / 1000, metricName: `${name}_sum` },
    { labels, value: total, metricName: `${name}_count` },
  ];
}

function recorded(
  host: OperatorHost,
  of: (record: ReturnType<OperatorHost["networks"]>[number]["record"]) => number,
): readonly Value[] {
  const sums = new Map<string, { labels: Labels; value: number }>();
  for (const { plugin, type, record } of host.networks()) {
    const sum = sums.get(type) ?? { labels: { plugin, driver: type }, value: 0 };
    sum.value += of(record);
    sums.set(type, sum);
  }
  return [...sums.values()];
}

/** Ids are the host's own list; one that is not valid may hold anything. */
function label({ info }: OperatorPlugin): Labels {
  return { plugin: escapeLine(info.name, 128) };
}

/** Returns one of the codes of the table, or `other`: no plugin chooses a label. */
function codeLabel(code: string): string {
  return isErrorCode(code) ? code : "other";
}
