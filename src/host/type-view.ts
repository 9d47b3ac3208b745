/** One network type as what serves it to others sees it, beside its driver: what is recorded, and where its links are. */
import type { Scope } from "../driverapi/types.js";
import type { FirewallHub } from "../permissions/firewall/hub.js";
import type { PublishedPort } from "../permissions/firewall/ledger.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import type { NetworkRecord } from "./calls/records.js";
import type { DriverRegistry } from "./registry.js";

export type { PublishedPort } from "../permissions/firewall/ledger.js";

export interface TypeView {
  /** The plugin that serves it. */
  readonly plugin: string;
  readonly scope: Scope;
  /** False: the plugin's manifest says that a Docker engine is not to have it. */
  readonly docker: boolean;
  /** Its driver has `programExternalConnectivity` and `revokeExternalConnectivity`. */
  readonly external: boolean;
  /** A network as it is recorded; undefined: there is none. */
  network(nid: string): NetworkRecord | undefined;
  /** Every network. */
  networks(): Iterable<NetworkRecord>;
  /** The ports of the host's that are published, by every plugin. */
  published(): Promise<readonly PublishedPort[]>;
  /** True for a link that the plugin made. */
  owns(link: string): boolean;
  /** Notes that somebody else is about to move a link into a namespace. */
  moved(link: string, netns: string): Promise<void>;
  /** Notes which of the plugin's links that were moved away are back. */
  returned(): Promise<void>;
}

/** Throws `ERR_DRIVER_NOT_FOUND`, `ERR_PLUGIN_UNAVAILABLE`. */
export function viewType(type: string, registry: DriverRegistry, netlink: NetlinkHub, firewall: FirewallHub): TypeView {
  const { records, scope, docker, external } = registry.find(type);
  const plugin = registry.owner(type) ?? "";
  return {
    plugin,
    scope,
    docker,
    external,
    network: (nid) => records.networks.get(nid),
    networks: () => records.networks.values(),
    published: () => firewall.published(),
    owns: (link) => netlink.owns(plugin, link),
    moved: (link, netns) => netlink.moved(link, netns),
    returned: () => netlink.allReturned(plugin, joinedLinks(registry, plugin)),
  };
}

/** The links of a plugin's endpoints that are joined: they are on their way, or there, whatever is seen of them. */
function joinedLinks(registry: DriverRegistry, plugin: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { records } of registry.servicesOf(plugin)) {
    for (const { endpoints } of records.networks.values()) {
      for (const { join } of endpoints.values()) for (const { srcName } of join?.data?.names ?? []) names.add(srcName);
    }
  }
  return names;
}
