/** One network type as seen by code that serves it to others, besides its driver: what is recorded, and where its links are. */
import type { Scope } from "../driverapi/types.js";
import type { FirewallHub } from "../permissions/firewall/hub.js";
import type { PublishedPort } from "../permissions/firewall/ledger.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import type { DriverService } from "./calls/driver-service.js";
import type { NetworkRecord } from "./calls/record.js";
import type { DriverRegistry } from "./registry.js";

export type { PublishedPort } from "../permissions/firewall/ledger.js";

export interface TypeView {
  /** The plugin that serves it. */
  readonly plugin: string;
  readonly scope: Scope;
  /** False if the plugin's manifest keeps it from Docker engines. */
  readonly docker: boolean;
  /** True if its driver has `programExternalConnectivity` and `revokeExternalConnectivity`. */
  readonly external: boolean;
  /** Returns a network as it is recorded; undefined if it does not exist. */
  network(nid: string): NetworkRecord | undefined;
  /** Returns all networks. */
  networks(): Iterable<NetworkRecord>;
  /** Returns the host's published ports, of all plugins. */
  published(): Promise<readonly PublishedPort[]>;
  /** Returns true for a link that the plugin made. */
  owns(link: string): boolean;
  /** Records that another program is about to move a link into a namespace. */
  moved(link: string, netns: string): Promise<void>;
  /** Records which of the plugin's links that were moved away are back. */
  returned(): Promise<void>;
}

/** One view per registration, kept because every request of an engine needs it. */
const views = new WeakMap<DriverService, TypeView>();

/** Returns a type's view, the same for as long as it is registered. Throws `ERR_DRIVER_NOT_FOUND`, `ERR_PLUGIN_UNAVAILABLE`. */
export function viewType(type: string, registry: DriverRegistry, netlink: NetlinkHub, firewall: FirewallHub): TypeView {
  const service = registry.find(type);
  let view = views.get(service);
  if (!view) {
    view = viewService(service, registry, netlink, firewall);
    views.set(service, view);
  }
  return view;
}

function viewService(
  service: DriverService,
  registry: DriverRegistry,
  netlink: NetlinkHub,
  firewall: FirewallHub,
): TypeView {
  const { records } = service;
  const plugin = registry.owner(service.type) ?? "";
  return {
    plugin,
    get scope() {
      return service.scope;
    },
    get docker() {
      return service.docker;
    },
    get external() {
      return service.external;
    },
    network: (nid) => records.networks.get(nid),
    networks: () => records.networks.values(),
    published: () => firewall.published(),
    owns: (link) => netlink.owns(plugin, link),
    moved: (link, netns) => netlink.moved(link, netns),
    returned: () => netlink.allReturned(plugin, () => joinedLinks(registry, plugin)),
  };
}

/** Returns the links of a plugin's joined endpoints: they are in a sandbox or on their way there, even if they cannot be seen. */
function joinedLinks(registry: DriverRegistry, plugin: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { records } of registry.servicesOf(plugin)) {
    for (const { endpoints } of records.networks.values()) {
      for (const { join } of endpoints.values()) for (const { srcName } of join?.data?.names ?? []) names.add(srcName);
    }
  }
  return names;
}
