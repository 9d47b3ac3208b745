/** The bridges in the namespace that the tables and the forwarding guard depend on, besides those with rules. */
import type { NamespaceView, NetlinkBackend } from "../netlink/backend.js";
import { readMark } from "../netlink/ledger.js";

export interface Bridges {
  /** Bridges of other programs that carry a default route, sorted. */
  readonly uplinks: readonly string[];
  /** Prefixes of our bridges, with rules or without, sorted. */
  readonly prefixes: readonly string[];
}

export async function inspectBridges(netlink: NetlinkBackend): Promise<Bridges> {
  const view = await netlink.look({ routes: true, kinds: true });
  return { uplinks: uplinksOf(view), prefixes: prefixesOf(view) };
}

/** Returns the bridges without a mark of ours that carry a default route. */
function uplinksOf({ links, routes }: NamespaceView): readonly string[] {
  const ways = new Set(
    routes.filter(({ destination }) => /^(0\.0\.0\.0|::)\/0$/.test(destination)).map(({ dev }) => dev),
  );
  return [...links.values()]
    .filter(({ name, kind, alias }) => kind === "bridge" && ways.has(name) && readMark(alias) === undefined)
    .map(({ name }) => name)
    .sort();
}

/** Returns the prefixes of all bridges with a mark of ours, whether their plugin has a firewall grant or not. */
function prefixesOf({ links }: NamespaceView): readonly string[] {
  const ours = [...links.values()].filter(({ kind, alias }) => kind === "bridge" && readMark(alias) !== undefined);
  return [...new Set(ours.map(({ name }) => name.split("-")[0] ?? ""))].sort();
}
