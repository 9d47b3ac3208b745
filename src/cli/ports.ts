/** `bulkhead ports`: lists the published host ports and their endpoints, also while a daemon runs. */

import { join } from "node:path";
import { plainAddress } from "../docker/conflicts.js";
import { type ContainerEnd, readContainers } from "../docker/engine-containers.js";
import { short } from "../docker/engine-errors.js";
import type { PublishedPort } from "../host/type-view.js";
import { corrupt } from "../storage/errors.js";
import { type FolderContents, inspectFolder, journalRows, publishedPorts } from "../storage/inspect.js";
import { type Report, table } from "./output.js";

/** The command's options. */
export interface PortsOptions {
  readonly dataDir: string;
  /** The engine's own socket, asked for container names; without a reply there are none. */
  readonly engine: string;
}

/** A row of `--json`. */
interface ShownPort extends Omit<PublishedPort, "bridge" | "hostIP"> {
  /** `0.0.0.0` or `::` for all addresses of a family. */
  readonly hostIP: string;
  readonly type?: string;
  readonly nid?: string;
  readonly eid?: string;
  readonly container?: string;
  readonly network?: string;
}

interface End {
  readonly type: string;
  readonly nid: string;
  readonly eid: string;
}

/** Lists the ports. Fails with `ERR_JOURNAL_CORRUPT` if some could not be read. */
export async function ports({ dataDir, engine }: PortsOptions): Promise<Report> {
  const held = await inspectFolder(dataDir);
  const ends = endsByAddress(held);
  const published = publishedPorts(held);
  const containers = published.length === 0 ? new Map<string, ContainerEnd>() : await readContainers(engine);
  const shown = published.map((one) => shownPort(one, ends, containers)).sort(byPort);
  const report = {
    data: { dataDir: held.folder, live: held.live, ports: shown, problems: held.problems },
    text: text(shown),
  };
  if (held.problems.length === 0) return report;
  return { ...report, error: corrupt(join(held.folder, "log"), held.problems.join("; ")) };
}

/** Maps plugin and address to the endpoint that has the address. */
function endsByAddress(held: FolderContents): ReadonlyMap<string, End> {
  const plugins = new Map<string, string>();
  for (const { body } of held.rows.get("bundles") ?? []) {
    const { id, types } = JSON.parse(body) as { readonly id: string; readonly types?: readonly string[] };
    for (const type of types ?? []) plugins.set(type, id);
  }
  const ends = new Map<string, End>();
  for (const [type, nid, eid, , entry] of journalRows(held)) {
    if (eid === null || !("interfaces" in entry)) continue;
    for (const { ipv4, ipv6 } of entry.interfaces)
      for (const address of [ipv4, ipv6])
        if (address !== "") ends.set(endKey(plugins.get(type) ?? type, address), { type, nid, eid });
  }
  return ends;
}

function endKey(plugin: string, address: string): string {
  return `${plugin} ${plainAddress(address)}`;
}

function shownPort(
  { plugin, protocol, hostIP, hostPort, ip, port }: PublishedPort,
  ends: ReadonlyMap<string, End>,
  containers: ReadonlyMap<string, ContainerEnd>,
): ShownPort {
  const end = ends.get(endKey(plugin, ip));
  return {
    ...{ plugin, protocol, hostIP: hostIP ?? (ip.includes(":") ? "::" : "0.0.0.0"), hostPort, ip, port },
    ...end,
    ...(end && containers.get(end.eid)),
  };
}

function byPort(a: ShownPort, b: ShownPort): number {
  const order = (one: ShownPort): string => `${one.protocol} ${one.ip.includes(":") ? 6 : 4} ${one.hostIP}`;
  return a.hostPort - b.hostPort || (order(a) < order(b) ? -1 : 1);
}

function text(shown: readonly ShownPort[]): string {
  if (shown.length === 0) return "no ports are published";
  const rows = shown.map(({ protocol, hostIP, hostPort, ip, port, type, nid, eid, network, container }) => [
    authority(hostIP, hostPort),
    protocol,
    authority(ip, port),
    type ?? "-",
    network ?? (nid === undefined ? "-" : short(nid)),
    eid === undefined ? "-" : short(eid),
    container ?? "-",
  ]);
  return table(["HOST", "PROTOCOL", "ENDPOINT'S", "TYPE", "NETWORK", "ENDPOINT", "CONTAINER"], rows);
}

function authority(ip: string, port: number): string {
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}
