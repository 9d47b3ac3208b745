/** The addresses of one endpoint, taken from its network's pools and given back to them. */
import { fail } from "../driverapi/fail.js";
import type { EndpointInfo } from "../driverapi/types.js";
import type { Family } from "./address.js";
import type { Pool } from "./pool.js";
import { overlap, type Subnet } from "./subnet.js";

/** An endpoint's addresses in CIDR form; "" for a family that it has none of. */
export interface EndpointAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** The interface of an endpoint: the one given by the platform or in a replay, or one with addresses from the pools. */
export interface TakenInterface extends EndpointAddresses {
  readonly id: number;
  /** "" if none was given. */
  readonly mac: string;
  /** False: `addInterface` is yet to be called. */
  readonly given: boolean;
}

/**
 * Takes an endpoint's addresses: those of the interface it was given, or the lowest free one of each pool. If one cannot be
 * taken, it takes none and throws what {@link Pool} throws; BadRequest for two interfaces.
 */
export function takeAddresses(pools: readonly Pool[], epInfo: EndpointInfo): TakenInterface {
  const [given, another] = epInfo.interfaces();
  if (another) fail("BadRequest", "an endpoint of this network has one interface; more were given");
  const done: (() => void)[] = [];
  const take = (family: Family, wanted: string | undefined): string => {
    const pool = pools.find(({ subnet }) => subnet.family === family);
    if (wanted === "" || !pool) return wanted ?? "";
    if (wanted !== undefined) pool.keep(wanted);
    const cidr = wanted ?? pool.take();
    done.push(() => pool.free(cidr));
    return cidr;
  };
  try {
    const [ipv4, ipv6] = [take(4, given?.address()), take(6, given?.addressIPv6())];
    return { id: given?.id() ?? 0, mac: given?.macAddress() ?? "", ipv4, ipv6, given: given !== undefined };
  } catch (error) {
    for (const undo of done) undo();
    throw error;
  }
}

/** Gives an endpoint's addresses back to its network's pools. */
export function freeAddresses(pools: readonly Pool[], { ipv4, ipv6 }: EndpointAddresses): void {
  for (const pool of pools) pool.free(pool.subnet.family === 4 ? ipv4 : ipv6);
}

/** Throws Forbidden if a new network's subnets have an address in common with another network's: libnetwork's rule. */
export function refuseOverlap(
  nid: string,
  subnets: readonly Subnet[],
  others: Iterable<{ readonly nid: string; readonly pools: readonly Pool[] }>,
): void {
  for (const { nid: other, pools } of others) {
    for (const { subnet } of pools) {
      const clash = subnets.find((one) => overlap(one, subnet));
      if (clash)
        fail(
          "Forbidden",
          `cannot create network ${nid} (${clash.text}): conflicts with network ${other} (${subnet.text}): networks have overlapping IPv${clash.family}`,
        );
    }
  }
}
