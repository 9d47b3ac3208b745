/** What an attachment keeps for the names of its container. */
import type { Attachment } from "../../attachments/attachment.js";
import type { PodmanContainer, PodmanNetwork } from "../wire.js";
import type { NameNote } from "./name-service.js";

/** A name that a client can ask for: labels of letters, digits, `_` and `-`. */
const NAME = /^(?=.{1,253}$)[a-z\d_](?:[a-z\d_-]{0,62})(?:\.[a-z\d_][a-z\d_-]{0,62})*$/;

/**
 * Returns the container's names on the network, and the address at which the network's containers ask. `byDriver`: the
 * driver itself answers there. Other names do not exist on an internal network; else the network's servers answer them, or the machine's.
 */
export function nameNote(
  { container_id, container_name, network, network_options: { aliases } }: PodmanContainer,
  made: Pick<Attachment, "gateway" | "gatewayIPv6">,
  byDriver: boolean,
): NameNote {
  const { internal, network_dns_servers } = network;
  const names = [container_name, ...aliases, container_id.slice(0, 12)].map((one) => one.toLowerCase());
  const forwarders = internal ? [] : network_dns_servers.length > 0 ? network_dns_servers : undefined;
  return {
    names: [...new Set(names)].filter((one) => NAME.test(one)),
    listen: byDriver ? [] : askedAt(network, made),
    ...(forwarders ? { forwarders } : {}),
  };
}

/** Returns the address at which the network's containers ask for names: its gateway, of IPv4 if there is one; none without DNS. */
export function askedAt(
  { dns_enabled, subnets }: Pick<PodmanNetwork, "dns_enabled" | "subnets">,
  { gateway, gatewayIPv6 }: Pick<Attachment, "gateway" | "gatewayIPv6">,
): readonly string[] {
  const given = subnets.flatMap((one) => one.gateway ?? []);
  const gateways = [gateway, ...given.filter((one) => !one.includes(":")), gatewayIPv6, ...given];
  return dns_enabled ? gateways.filter((one) => one !== "").slice(0, 1) : [];
}
