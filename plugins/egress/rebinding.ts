/**
 * Addresses that a name server must not lead a container to: this machine's networks and others that are not public. The host's own
 * addresses are refused by the firewall.
 */
import { type Address, parseAddress, parseCIDR } from "bulkhead/plugin/addressing";
import { covers } from "./allow-list.ts";

/** Networks that are not public: RFC 6890 and its successors, and what a cloud platform has in a public range. */
const NOT_PUBLIC = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  // Azure's own services, as each of its machines reaches them.
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Loopback, addresses that carry an IPv4 address, and NAT64.
  "::/8",
  "2001::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
].flatMap((text) => parseCIDR(text) ?? []);

/** True for an address that an answer may have although no listed network has it. */
export function isPublic(ip: string): boolean {
  const address: Address | undefined = parseAddress(ip);
  return address !== undefined && !NOT_PUBLIC.some((network) => covers(network, address));
}
