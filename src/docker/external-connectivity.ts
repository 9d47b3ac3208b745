/** The optional pair of methods by which an engine says which of a container's endpoints publishes its ports. */
import type { JsonObject } from "../driverapi/json.js";
import type { CallOptions, HostedDriver } from "../driverapi/types.js";
import type { EndpointRecord } from "../host/calls/records.js";
import type { TypeView } from "../host/type-view.js";

export interface ExternalConnectivity {
  programExternalConnectivity(nid: string, eid: string, options?: JsonObject, call?: CallOptions): Promise<void>;
  revokeExternalConnectivity(nid: string, eid: string, call?: CallOptions): Promise<void>;
}

/** A driver's pair; undefined for one that has the nine methods alone. */
export function externalOf(
  driver: HostedDriver & Partial<ExternalConnectivity>,
  view: TypeView & { readonly external?: boolean },
): ExternalConnectivity | undefined {
  return view.external ? (driver as HostedDriver & ExternalConnectivity) : undefined;
}

/** True while an endpoint's connectivity is programmed, or may be. */
export function isProgrammed(endpoint: EndpointRecord & { readonly external?: unknown }): boolean {
  return endpoint.external !== undefined;
}
