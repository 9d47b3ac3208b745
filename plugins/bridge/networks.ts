/** The driver's state: networks and their endpoints. */
import type { Json, TrafficShape } from "bulkhead/plugin";
import type { EndpointAddresses, Pool } from "bulkhead/plugin/addressing";
import type { Binding } from "./ports.ts";

export interface Endpoint extends EndpointAddresses {
  /** The interface's id. */
  readonly id: number;
  /** The veth's end on the bridge, and its end for the sandbox. */
  readonly link: string;
  readonly peer: string;
  readonly mac: string;
  /** Its creation came with a port map, which holds until external connectivity is programmed or revoked. */
  readonly mapped: boolean;
  /** The ports published now. */
  ports: readonly Binding[];
  /** Docker's list of the ports that the image exposes, unchanged. */
  readonly exposed: Json | undefined;
}

export interface Network {
  readonly nid: string;
  bridge: string;
  mtu: number;
  readonly pools: readonly Pool[];
  readonly internal: boolean;
  /** Of endpoints that name none. */
  readonly shape: TrafficShape;
  /** The host address that ports are published on; "": all. */
  readonly hostIP: string;
  /** The beginning of interface names in sandboxes; a number follows. */
  readonly interfacePrefix: string;
  readonly endpoints: Map<string, Endpoint>;
}

/** Returns an endpoint's addresses without their prefix lengths. */
export function ipsOf({ ipv4, ipv6 }: EndpointAddresses): readonly string[] {
  return [ipv4, ipv6].filter((one) => one !== "").map((one) => one.split("/")[0] ?? "");
}
