/** Describes a plugin's links to it. */

import type { Json } from "../../driverapi/json.js";
import type { NamespaceView } from "./backend.js";
import { networkOf, specialRange } from "./cidr.js";
import type { LedgerRow } from "./ledger.js";
import type { LinkInfo } from "./link-spec.js";
import type { Ownership } from "./ownership.js";
import { otherEnd, parentOf } from "./rules-links.js";

/** Describes one link; one that is in a sandbox, as it was when it was created. */
export function linkInfo(row: LedgerRow, ownership: Ownership, view: NamespaceView): LinkInfo {
  const { name, spec } = row;
  const link = row.moved === undefined ? view.links.get(name) : undefined;
  // The name of another owner's bridge stays hidden from the plugin.
  const master =
    link?.master !== undefined && ownership.row(link.master)?.plugin === row.plugin ? link.master : undefined;
  const parent = parentOf(spec);
  return {
    name,
    kind: spec.kind,
    ifindex: link?.ifindex ?? row.ifindex ?? 0,
    up: link?.up ?? false,
    mtu: link?.mtu ?? row.mtu ?? 0,
    mac: link?.mac ?? row.mac ?? "",
    ...(master === undefined ? {} : { master }),
    ...(spec.kind === "veth" ? { peer: otherEnd(spec, name) } : {}),
    ...(parent === undefined ? {} : { parent }),
    addresses: (link?.addresses ?? [])
      .filter(({ ip }) => specialRange(networkOf(ip)) === undefined)
      .map(({ ip, prefix }) => `${ip}/${prefix}`),
    ...(link?.counters === undefined ? {} : { counters: link.counters }),
    ...(row.moved === undefined ? {} : { inSandbox: true as const }),
  };
}

/** Describes every link of a plugin, by name. */
export function linksOf(plugin: string, ownership: Ownership, view: NamespaceView): Json {
  const rows = ownership.of(plugin).filter(({ name }) => ownership.own(plugin, name, view) !== undefined);
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  return rows.map((row) => linkInfo(row, ownership, view) as unknown as Json);
}
