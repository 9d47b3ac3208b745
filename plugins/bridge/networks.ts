/** What the driver remembers of a network and of its endpoints. */
import type { Json } from "bulkhead/plugin";
import type { EndpointAddresses, Pool } from "bulkhead/plugin/addressing";
import type { Binding } from "./ports.ts";

export interface Endpoint extends EndpointAddresses {
  /** The interface's id. */
  readonly id: number;
  /** The end on the bridge, and the end for the sandbox. */
  readonly link: string;
  readonly peer: string;
  readonly mac: string;
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
export function ipsOf({ ipv4, ipv6 }: EndpointAddresses): readonly string[] {
  return [ipv4, ipv6].filter((one) => one !== "").map((one) => one.split("/")[0] ?? "");
}
