/** What the host knows, in the shapes of the API's replies. */
import type { Attachment } from "../attachments/attachment.js";
import { monotonicNow } from "../common/clock.js";
import type { DriverError } from "../driverapi/errors.js";
import type { JsonObject, JsonText } from "../driverapi/json.js";
import type { EndpointRecord } from "../host/calls/record.js";
import type { Tally } from "../host/calls/tally.js";
import type { OperatorHost, OperatorNetwork, OperatorPlugin } from "../host/operator-host.js";
import type { Replies } from "./operations.js";
import type {
  Answers,
  AttachmentRow,
  CallInFlight,
  Endpoint,
  MethodCalls,
  Network,
  PluginDetails,
  PluginRow,
  PolicyInForce,
  Port,
  Ready,
  Reason,
} from "./types.js";

export function plugins(host: Pick<OperatorHost, "plugins">): Replies["plugins"] {
  return { plugins: host.plugins().map(pluginRow) };
}

function pluginRow({ info, tally }: OperatorPlugin): PluginRow {
  const { counters } = info;
  const { calls, errors, timeouts, restarts, violations, cpuMs, memoryMb = null, latency } = counters;
  return {
    id: info.name,
    version: info.version ?? null,
    state: info.state,
    since: new Date(info.since).toISOString(),
    types: info.drivers,
    isolation: info.isolation ?? null,
    wall: info.wall ?? null,
    pid: info.pid ?? null,
    memoryMb,
    cpuMs,
    inFlight: tally.inFlight,
    ...{ calls, errors, timeouts, restarts, violations, latency },
    reason: reasonOf(info.refusal),
  };
}

export function pluginDetails(plugin: OperatorPlugin): PluginDetails {
  const { info, tally, effective } = plugin;
  const { memoryMb, cpuPercent, drivers } = effective ?? {};
  return {
    ...pluginRow(plugin),
    sha256: info.sha256 ?? null,
    external: info.external,
    grant: info.grant ? { scope: info.grant.scope, permissions: info.grant.permissions as JsonObject } : null,
    limits:
      memoryMb === undefined || cpuPercent === undefined || drivers === undefined
        ? null
        : { memoryMb, cpuPercent, drivers },
    deadlines: effective?.timeouts ?? null,
    answers: answersOf(tally),
    kills: Object.fromEntries(tally.kills),
    lastErrors: tally.errors.map(({ time, ...error }) => ({ time: new Date(time).toISOString(), ...error })),
  };
}

export function networks(host: OperatorHost): readonly Network[] {
  return host.networks().map(({ plugin, type, scope, record }) => ({
    ...{
      id: record.nid,
      type,
      plugin,
      scope,
      phase: record.phase,
      endpoints: record.endpoints.size,
      kills: record.kills,
    },
    failed: reasonOf(record.failed),
    options: parsed(record.options),
  }));
}

export function endpoints(host: OperatorHost): readonly Endpoint[] {
  return host
    .networks()
    .flatMap((network) => [...network.record.endpoints.values()].map((one) => endpoint(network, one)));
}

function endpoint({ plugin, type, record }: OperatorNetwork, one: EndpointRecord): Endpoint {
  const { eid, phase, interfaces, options, join, external, byHand } = one;
  return {
    ...{ id: eid, network: record.nid, type, plugin, phase, interfaces, options: parsed(options) },
    join: join ? { phase: join.phase, sandbox: join.sboxKey, data: join.data ?? null } : null,
    external: external ? parsed(external.options) : null,
    byHand: byHand === true,
  };
}

/** Lists calls in progress, the oldest first. */
export function calls(host: OperatorHost): readonly CallInFlight[] {
  const now = monotonicNow();
  const list = host.plugins().flatMap(({ info, tally }) =>
    [...tally.open].map(({ type, method, nid, eid, began }) => {
      const ms = Math.max(0, Math.round((now - began) * 1000) / 1000);
      const since = new Date(Date.now() - ms).toISOString();
      return { plugin: info.name, type, method, network: nid ?? null, endpoint: eid ?? null, since, ms };
    }),
  );
  return list.sort((a, b) => b.ms - a.ms);
}

export function methods(host: OperatorHost): readonly MethodCalls[] {
  return host.plugins().flatMap(({ info, tally }) =>
    [...tally.methods()].map(({ type, method, ok, errors, totalMs }) => {
      const failed = [...errors.values()].reduce((sum, count) => sum + count, 0);
      return { plugin: info.name, type, method, calls: ok + failed, errors: failed, ms: totalMs };
    }),
  );
}

export async function ports(host: OperatorHost): Promise<readonly Port[]> {
  const published = await host.published();
  return published.map(({ plugin, protocol, hostIP = null, hostPort, ip, port }) => ({
    ...{ plugin, protocol, hostIP, hostPort, ip, port },
  }));
}

export function attachments(list: readonly Attachment[]): readonly AttachmentRow[] {
  return list.map((one) => ({
    ...{ platform: one.platform, network: one.network, container: one.container, interface: one.interface },
    ...{ type: one.type, nid: one.nid, eid: one.eid, netns: one.netns, phase: one.phase },
    addresses: one.links.flatMap((link) => link.addresses),
    publishes: one.publishes,
  }));
}

export function policy({ policy }: OperatorHost): PolicyInForce {
  const { file, current, problem } = policy;
  return { file: file ?? null, policy: current as unknown as JsonObject, problem: reasonOf(problem) };
}

export function ready(host: OperatorHost): Ready {
  const waiting = host
    .plugins()
    .filter(({ info }) => info.state === "loading" || info.state === "restarting")
    .map(({ info }) => info.name);
  return { ready: waiting.length === 0, waiting };
}

function answersOf(tally: Tally): readonly Answers[] {
  return [...tally.methods()].flatMap(({ type, method, ok, errors }) =>
    [["ok", ok] as const, ...errors].flatMap(([code, count]) => (count > 0 ? [{ type, method, code, count }] : [])),
  );
}

function reasonOf(error: DriverError | undefined): Reason | null {
  if (error === undefined) return null;
  const { code, message, file, line } = error;
  return { code, message, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}

function parsed(options: JsonText): JsonObject {
  return JSON.parse(options) as JsonObject;
}
