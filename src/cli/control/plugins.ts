/** `bulkhead ps` and `bulkhead status`: the plugins of a running host, and all about one. */
import type { ControlClient, Followed } from "../../control/client.js";
import { clock, duration, memory, milliseconds } from "../../control/table/figures.js";
import { pluginTable, stateColour } from "../../control/table/plugins.js";
import type { PluginDetails, PluginRow } from "../../control/types.js";
import { permissionsText } from "../output.js";
import { eventLine } from "./events.js";
import { type Printer, safe } from "./output.js";

/** Lines of the log that `status` shows. */
const LAST_LINES = 10;

export async function ps(client: ControlClient, printer: Printer): Promise<void> {
  printPlugins(printer, (await client.ask("plugins")).plugins);
}

export function printPlugins(printer: Printer, plugins: readonly PluginRow[]): void {
  printer.print(plugins, pluginTable(printer.coloured, plugins));
}

/** Shows the host, or one plugin on one screen. */
export async function status(client: ControlClient, printer: Printer, id: string | undefined): Promise<void> {
  if (id === undefined) return hostStatus(client, printer);
  const plugin = await client.ask("plugin", { id });
  const lines: Followed[] = [];
  for await (const one of client.events({ plugin: id, kind: "log", last: String(LAST_LINES), follow: "false" }))
    lines.push(one);
  printer.print([{ ...plugin, lines }], detailsText(printer, plugin, lines));
}

async function hostStatus(client: ControlClient, printer: Printer): Promise<void> {
  const health = await client.ask("health");
  const ready = await client.ask("ready");
  const { plugins } = await client.ask("plugins");
  const { networks } = await client.ask("networks");
  const states = new Map<string, number>();
  for (const { state } of plugins) states.set(state, (states.get(state) ?? 0) + 1);
  const counts = [...states].map(([state, count]) => `${count} ${state}`).join(", ");
  const text = [
    `${printer.paint(health.status === "ok" ? "green" : "red", "●")} bulkhead: ${health.status}, process ${health.pid}`,
    `  open for  ${duration(health.uptimeMs)}`,
    `  ready     ${ready.ready ? "yes" : `no: ${safe(ready.waiting.join(", "))}`}`,
    `  plugins   ${counts || "none"}`,
    `  networks  ${networks.length}`,
    ...health.problems.map((problem) => `  problem   ${safe(problem)}`),
    ...(plugins.length === 0 ? [] : ["", pluginTable(printer.coloured, plugins)]),
  ];
  printer.print([{ health, ready, plugins, networks: networks.length }], text.join("\n"));
}

function detailsText(printer: Printer, one: PluginDetails, lines: readonly Followed[]): string {
  const { id, version, state, since, latency, grant, limits, reason } = one;
  const kills = Object.entries(one.kills).map(([code, count]) => `${count} ${code}`);
  const failed = one.answers.filter(({ code }) => code !== "ok");
  const place = reason?.file === undefined ? "" : ` (${reason.file}:${reason.line ?? "?"})`;
  const rows: readonly (readonly [string, string])[] = [
    ...(reason ? [["why", `${reason.code}: ${reason.message}${place}`] as const] : []),
    ["types", one.types.join(", ") || "none"],
    ["runs in", placeText(one)],
    ["grant", grant ? `${grant.scope}: ${permissionsText(grant.permissions)}` : "none"],
    ["limits", limits ? `${limits.memoryMb} MiB, ${limits.cpuPercent} % CPU, ${limits.drivers} drivers` : "-"],
    ["sha256", one.sha256 === null ? "-" : `${one.sha256}${hasWorker(one) ? "" : " (ran last)"}`],
    ["memory", `${memory(one.memoryMb)}, CPU ${milliseconds(one.cpuMs)}`],
    ["calls", `${one.calls}, ${one.inFlight} in progress, ${one.errors} errors, ${one.timeouts} past their deadline`],
    ["replies", latency.count === 0 ? "none" : repliesText(latency)],
    ["restarts", `${one.restarts}${kills.length === 0 ? "" : `, terminated: ${kills.join(", ")}`}`],
    ...(failed.length === 0 ? [] : [["errors", failed.map(errorText).join(", ")] as const]),
  ];
  const since_ = `${since.slice(0, 19).replace("T", " ")} UTC (${duration(Date.now() - Date.parse(since))})`;
  const head = `${printer.paint(stateColour(state), "●")} ${safe(id)}${version === null ? "" : ` ${safe(version)}`}`;
  return [
    `${head}: ${printer.paint(stateColour(state), state)} since ${since_}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(9)} ${safe(text)}`),
    ...section(
      "Last errors",
      one.lastErrors.map(({ time, code, message, method }) =>
        safe(`${clock(time)} ${code}${method === undefined ? "" : ` ${method}`}: ${message}`),
      ),
    ),
    ...section(
      "Last lines",
      lines.map((line) => eventLine(printer, line)),
    ),
  ].join("\n");
}

/** Returns whether a worker of it is there; one in a thread has neither wall nor process of its own. */
function hasWorker({ state, wall }: PluginDetails): boolean {
  return wall !== null || state === "running" || state === "orphaned";
}

function placeText(one: PluginDetails): string {
  if (!hasWorker(one)) return "nothing: it has no worker";
  return `${one.isolation ?? "-"}, wall ${one.wall ?? "none"}, process ${one.pid ?? "-"}`;
}

function repliesText({ p50, p99, max }: PluginDetails["latency"]): string {
  return `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}, max ${milliseconds(max)}`;
}

function errorText({ method, code, count }: PluginDetails["answers"][number]): string {
  return `${count} ${code} (${method})`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}
