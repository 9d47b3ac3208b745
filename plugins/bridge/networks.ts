/** What the driver remembers of a network and of its endpoints, and the addresses that an endpoint takes. */
import type { EndpointInfo, Json } from "bulkhead/plugin";
import { badRequest, forbidden } from "./errors.ts";
import type { Pool } from "./pool.ts";
import type { Binding } from "./ports.ts";
import { overlap, type Subnet } from "./subnets.ts";

export interface Endpoint {
  /** The interface's id. */
  readonly id: number;
  /** The end on the bridge, and the end for the sandbox. */
  readonly link: string;
  readonly peer: string;
  readonly mac: string;
  /** In CIDR form; "" where there is none. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** Its creation brought a port map, which holds until external connectivity is programmed or revoked. */
  readonly mapped: boolean;
  /** What is published of it now. */
  ports: readonly Binding[];
  /** Docker's list of the ports its image names, as it came. */
  readonly exposed: Json | undefined;
}

export interface Network {
  readonly nid: string;
  bridge: string;
  mtu: number;
  readonly pools: readonly Pool[];
  readonly internal: boolean;
  /** The host's address that ports are published on; "": all. */
  readonly hostIP: string;
  /** How interfaces are called in sandboxes, without their numbers. */
  readonly interfacePrefix: string;
  readonly endpoints: Map<string, Endpoint>;
}

/** An endpoint's addresses without their prefix lengths. */
export function ipsOf({ ipv4, ipv6 }: Pick<Endpoint, "ipv4" | "ipv6">): readonly string[] {
  return [ipv4, ipv6].filter((one) => one !== "").map((one) => one.split("/")[0] ?? "");
}

/** libnetwork's rule: no two networks of the driver may share an address. */
export function refuseOverlap(nid: string, subnets: readonly Subnet[], others: Iterable<Network>): void {
  for (const other of others) {
    for (const { subnet } of other.pools) {
      const clash = subnets.find((one) => overlap(one, subnet));
      if (clash) {
        forbidden(
          `cannot create network ${nid} (${clash.text}): conflicts with network ${other.nid} (${subnet.text}): networks have overlapping IPv${clash.family}`,
        );
      }
    }
  }
}

/** An endpoint's addresses: those given, or one of each of the network's subnets. */
export interface Addressed {
  readonly id: number;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly given: boolean;
}

export function takeAddresses(on: Network, epInfo: EndpointInfo): Addressed {
  const [given, another] = epInfo.interfaces();
  if (another) badRequest("an endpoint of a bridge has one interface; more were given");
  const poolOf = (family: 4 | 6): Pool | undefined => on.pools.find(({ subnet }) => subnet.family === family);
  const [pool4, pool6] = [poolOf(4), poolOf(6)];
  if (!given) {
    const ipv4 = pool4?.take() ?? "";
    try {
      return { id: 0, mac: "", ipv4, ipv6: pool6?.take() ?? "", given: false };
    } catch (error) {
      pool4?.free(ipv4);
      throw error;
    }
  }
  const [ipv4, ipv6] = [given.address(), given.addressIPv6()];
  if (ipv4 !== "") pool4?.keep(ipv4);
  try {
    if (ipv6 !== "") pool6?.keep(ipv6);
  } catch (error) {
    pool4?.free(ipv4);
    throw error;
  }
  return { id: given.id(), mac: given.macAddress(), ipv4, ipv6, given: true };
}

export function giveBack(on: Network, { ipv4, ipv6 }: Pick<Endpoint, "ipv4" | "ipv6">): void {
  for (const pool of on.pools) pool.free(pool.subnet.family === 4 ? ipv4 : ipv6);
}
