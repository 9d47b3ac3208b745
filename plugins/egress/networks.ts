/** The driver's state: networks and their endpoints. */
import type { TrafficShape } from "bulkhead/plugin";
import type { EndpointAddresses, Pool } from "bulkhead/plugin/addressing";
import type { Refusals } from "./refusals.ts";

export interface Endpoint extends EndpointAddresses {
  /** The interface's id. */
  readonly id: number;
  /** The veth's end on the bridge, and its end for the sandbox. */
  readonly link: string;
  readonly peer: string;
  readonly mac: string;
}

export interface Network {
  readonly nid: string;
  bridge: string;
  mtu: number;
  readonly pools: readonly Pool[];
  readonly refusals: Refusals;
  /** The default shape of its endpoints. */
  readonly shape: TrafficShape;
  readonly endpoints: Map<string, Endpoint>;
}

/** Returns an endpoint's addresses without their prefix lengths. */
export function ipsOf({ ipv4, ipv6 }: EndpointAddresses): readonly string[] {
  return [ipv4, ipv6].filter((one) => one !== "").map((one) => one.split("/")[0] ?? "");
}
