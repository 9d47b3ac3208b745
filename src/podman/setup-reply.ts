/** The addresses that Podman gives a container, and what netavark is told of an attachment. */
import ipaddr from "ipaddr.js";
import type { Attachment, WantedAttachment } from "../attachments/attachment.js";
import { contains, networkOf } from "../permissions/netlink/cidr.js";
import { askedAt } from "./names/note.js";
import { DOMAIN } from "./names/zone.js";
import type { PodmanContainer } from "./wire.js";

/**
 * Returns the static addresses. From a network's subnets Podman allocates one each, even if the user names none; without subnets, the
 * driver's pool gives what the user leaves open.
 */
export function givenAddresses({
  network: { subnets },
  network_options: { static_ips },
}: PodmanContainer): Pick<WantedAttachment, "addresses" | "allAddresses"> {
  if (static_ips.length === 0) return {};
  const addresses = static_ips.map((ip) => {
    const within = ipaddr.isValid(ip) && subnets.find(({ subnet }) => isIn(subnet, ip));
    return within ? `${ip}/${within.subnet.split("/")[1]}` : ip;
  });
  const all = subnets.length > 0 && addresses.every((one) => one.includes("/"));
  return { addresses, ...(all ? { allAddresses: true } : {}) };
}

function isIn(subnet: string, ip: string): boolean {
  return ipaddr.isValidCIDR(subnet) && contains(networkOf(subnet), networkOf(ipaddr.parse(ip).toString()));
}

/** Where names are answered on a network, and by what. */
export interface Naming {
  /** The addresses at which the daemon answers. */
  readonly named: ReadonlySet<string>;
  /** The driver answers at the gateway itself. */
  readonly byDriver: boolean;
}

/** Returns what `setup` prints. */
export function setupReply({ network }: PodmanContainer, made: Attachment, { named, byDriver }: Naming): object {
  const at = askedAt(network, made);
  const own = byDriver ? [] : at.filter((one) => named.has(one));
  const answered = byDriver ? at : own;
  const servers = answered.length > 0 ? answered : network.network_dns_servers;
  const gateways = [made.gateway, made.gatewayIPv6].filter((one) => one !== "");
  const interfaces = made.links.map(({ name, mac, addresses }) => {
    const subnets = addresses.map((ipnet) => {
      const gateway = gateways.find((one) => one.includes(":") === ipnet.includes(":"));
      return gateway === undefined ? { ipnet } : { ipnet, gateway };
    });
    return [name, { mac_address: mac, subnets }] as const;
  });
  return {
    interfaces: Object.fromEntries(interfaces),
    ...(servers.length === 0 ? {} : { dns_server_ips: servers }),
    ...(own.length === 0 ? {} : { dns_search_domains: [DOMAIN] }),
  };
}
