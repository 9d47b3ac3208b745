/** `bulkhead cluster`: the state that hosts share, the hosts that are alive, and the statement that one is gone. */
import type { ControlClient } from "../../control/client.js";
import type { ClusterHost, ClusterPlugin, ClusterStore, PluginFence } from "../../control/cluster-types.js";
import { type Cell, cell, columns } from "../../control/table/columns.js";
import { DriverError } from "../../driverapi/errors.js";
import { printNetworks } from "./inspect.js";
import { type Printer, safe, safeJson } from "./output.js";

/** What `bulkhead cluster` shows or does. */
export const CLUSTER_WORDS = ["status", "hosts", "networks", "fence"] as const;

/** The options of `fence`. */
export interface FenceFlags {
  readonly plugin: string | undefined;
  readonly reason: string | undefined;
  readonly force: boolean;
  readonly undo: boolean;
}

/** Rejects with `ERR_USAGE` for another word, for `fence` without a host, and for what only `fence` takes. */
export async function cluster(
  client: ControlClient,
  printer: Printer,
  what: string,
  host: string | undefined,
  flags: FenceFlags,
): Promise<void> {
  if (!(CLUSTER_WORDS as readonly string[]).includes(what))
    throw new DriverError("ERR_USAGE", `cluster takes ${CLUSTER_WORDS.join(", ")}, not "${what}"`);
  const { plugin, reason, force, undo } = flags;
  if (what === "fence") {
    if (host === undefined) throw new DriverError("ERR_USAGE", "name a host: bulkhead cluster hosts lists them");
    return fence(client, printer, host, flags);
  }
  if (host !== undefined || plugin !== undefined || reason !== undefined || force || undo)
    throw new DriverError("ERR_USAGE", `only cluster fence takes a host and options of its own, not cluster ${what}`);
  if (what === "status") return status(client, printer);
  if (what === "hosts") return hosts(client, printer);
  const { networks } = await client.ask("networks");
  const global = networks.filter(({ scope }) => scope === "global");
  printNetworks(printer, global, "the host has no networks of scope global");
}

async function status(client: ControlClient, printer: Printer): Promise<void> {
  const reply = await client.ask("cluster");
  const { store, plugins } = reply;
  const rows = plugins.map((one) => [
    cell(one.plugin),
    cell(of(one.keys)),
    cell(of(one.bytes)),
    cell(`${one.watches.length} of ${one.watchesGranted}`),
    cell(one.leases.length),
    proofOf(one),
    cell(one.problem, one.problem === null ? "plain" : "red"),
  ]);
  const headings = ["PLUGIN", "KEYS", "BYTES", "WATCHES", "LEASES", "LAST PROOF", "PROBLEM"];
  const table =
    rows.length === 0 ? 'no plugin of the host is granted "cluster"' : columns(printer.coloured, headings, rows);
  printer.print([reply], `${storeLines(printer, store)}\n${table}`);
}

function storeLines(
  printer: Printer,
  { kind, endpoints, prefix, answers, failingSince, problem }: ClusterStore,
): string {
  if (kind === null) return "store: none; the operator names one with serve --cluster FILE";
  const where = kind === "etcd" ? ` at ${endpoints.map((one) => safe(one)).join(", ")}` : "";
  const state = answers
    ? printer.paint("green", "answers")
    : answers === null
      ? "not asked yet"
      : `${printer.paint("red", "does not answer")} since ${failingSince ?? "now"}: ${safe(problem ?? "", 300)}`;
  return `store: ${kind}${where}, keys below ${safe(prefix)}/: ${state}`;
}

function of({ used, granted }: ClusterPlugin["keys"]): string {
  return `${used ?? "?"} of ${granted}`;
}

/** The watch that is furthest behind. */
function proofOf({ watches }: ClusterPlugin): Cell {
  if (watches.length === 0) return cell("-");
  const ms = Math.max(...watches.map(({ provenMs }) => provenMs));
  const stale = watches.filter((one) => one.stale).length;
  const ago = `${(ms / 1000).toFixed(1)} s ago`;
  return stale === 0 ? cell(ago) : cell(`${ago}, ${stale} stale`, "red");
}

async function hosts(client: ControlClient, printer: Printer): Promise<void> {
  const { hosts } = await client.ask("clusterHosts");
  const rows = hosts.map((one) => [
    cell(one.plugin),
    cell(one.host),
    cell(one.holder),
    stateOf(one),
    cell(one.fence?.reason),
    cell(one.value && safeJson(one.value)),
  ]);
  const headings = ["PLUGIN", "HOST", "HOLDER", "STATE", "REASON", "SAYS"];
  printer.print(
    hosts,
    rows.length === 0 ? "no host holds a lease, and none is fenced" : columns(printer.coloured, headings, rows),
  );
}

function stateOf({ holder, here, fence }: ClusterHost): Cell {
  const alive = holder === null ? [] : [here ? "alive (this host)" : "alive"];
  const fenced = fence ? [`fenced since ${fence.since ?? "an unknown time"}`] : [];
  return cell([...alive, ...fenced].join(", "), fence ? "red" : "green");
}

async function fence(
  client: ControlClient,
  printer: Printer,
  host: string,
  { plugin, reason, force, undo }: FenceFlags,
): Promise<void> {
  const body = {
    ...(plugin === undefined ? {} : { plugin }),
    ...(reason === undefined ? {} : { reason }),
    ...(force ? { force } : {}),
    ...(undo ? { undo } : {}),
  };
  const { plugins } = await client.ask("fence", { id: host, body });
  const lines = plugins.map((one) => `${safe(one.plugin)}: ${safe(host)} ${outcome(one)}`);
  printer.print(
    plugins.map((one) => ({ host, ...one })),
    lines.join("\n"),
  );
}

function outcome({ changed, fence }: PluginFence): string {
  if (fence === null) return changed ? "is not fenced any more" : "was not fenced";
  return changed ? "is fenced" : `was fenced already, since ${fence.since ?? "an unknown time"}`;
}
