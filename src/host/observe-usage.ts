/** Watches what a running plugin uses of its permissions, beginning with what it holds already. */
import { DriverError } from "../driverapi/errors.js";
import { type Held, Observer } from "../learning/observer.js";
import type { Usage } from "../learning/usage.js";
import { networkOf, specialRange } from "../permissions/netlink/cidr.js";
import { namespaceOf } from "../permissions/store/namespace.js";
import type { HostContext } from "./context.js";

/** Begins to watch. Resolves with a function that stops it and resolves with what was used. Rejects with `ERR_CONTROL_BUSY`. */
export async function observeUsage(context: HostContext, plugin: string): Promise<() => Promise<Usage>> {
  const store = namespaceOf(context.store, plugin);
  const observer = new Observer(plugin, {
    owns: (link) => context.netlink.owns(plugin, link),
    stored: () => store(async ({ total, sizes }) => ({ bytes: total, keys: sizes.size })),
  });
  const stop = context.usage.begin(plugin, observer);
  if (stop === undefined)
    throw new DriverError("ERR_CONTROL_BUSY", `plugin "${plugin}" is watched already`, { plugin });
  try {
    observer.hold(await heldBy(context, plugin));
  } catch (error) {
    stop();
    throw error;
  }
  return () => {
    stop();
    return observer.usage();
  };
}

async function heldBy({ netlink, firewall, traffic }: HostContext, plugin: string): Promise<Held> {
  const links = netlink.held(plugin);
  const rules = await firewall.rules(plugin);
  const shapes = traffic.held(plugin);
  if (links.length === 0) return { links, networks: [], rules, shapes };
  const view = await netlink.backend.look({ addresses: true, routes: true });
  const own = new Set([...view.links.keys()].filter((name) => netlink.owner(name, view) === plugin));
  const addresses = [...view.links.values()].flatMap(({ name, addresses: all }) =>
    own.has(name) ? all.map(({ ip, prefix }) => `${ip}/${prefix}`) : [],
  );
  const routes = view.routes.flatMap(({ dev, destination }) =>
    dev !== undefined && own.has(dev) ? [destination] : [],
  );
  // The kernel's own, such as link-local addresses and multicast routes, are not the plugin's.
  const networks = [...addresses, ...routes].filter((one) => specialRange(networkOf(one)) === undefined);
  return { links, networks, rules, shapes };
}
