/** What a policy demands of the machine's network, as the checks of `doctor` and `serve` take it. */
import type { NetworkDemand } from "../doctor/network/checks.js";
import type { Policy } from "../policy/schema.js";

/** A firewall that is granted to any plugin demands all that forwarded packets need. */
export function networkDemand({ plugins = {} }: Policy): NetworkDemand {
  const grants = Object.values(plugins).flatMap(({ grant }) => grant ?? []);
  return {
    firewall: grants.some(({ firewall }) => firewall !== undefined),
    prefixes: grants.flatMap(({ netlink }) => (typeof netlink === "object" ? (netlink.prefix ?? []) : [])),
  };
}
