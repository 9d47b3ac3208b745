/** Returns what a policy demands of the machine's network, for the checks of `doctor` and `serve`. */
import type { NetworkDemand } from "../doctor/network/checks.js";
import type { Policy } from "../policy/schema.js";

/** Collects the demands of all plugins. */
export function networkDemand({ plugins = {} }: Policy): NetworkDemand {
  const grants = Object.values(plugins).flatMap(({ grant }) => grant ?? []);
  return {
    firewall: grants.some(({ firewall }) => firewall !== undefined),
    vxlan: grants.some(({ netlink }) => typeof netlink === "object" && netlink.kinds?.includes("vxlan")),
    prefixes: grants.flatMap(({ netlink }) => (typeof netlink === "object" ? (netlink.prefix ?? []) : [])),
  };
}
