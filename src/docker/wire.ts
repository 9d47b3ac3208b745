/**
 * Requests of Docker's remote network driver protocol; untrusted until read. Unknown fields are ignored; both forms are read, one
 * `Interface` (since 1.9) and a list of `Interfaces` (2015).
 */

import type { JsonObject } from "../driverapi/json.js";
import { count, jsonObject, list, object, optional, type Reader, text } from "./fields.js";

/** A pool of a network from the engine's address management; "" for what is not given. */
export interface Pool {
  readonly AddressSpace: string;
  readonly Pool: string;
  readonly Gateway: string;
  readonly AuxAddresses: JsonObject;
}

/** An interface as the engine gives it; "" for what the driver chooses. */
export interface GivenInterface {
  readonly Address: string;
  readonly AddressIPv6: string;
  readonly MacAddress: string;
}

export interface ListedInterface extends GivenInterface {
  readonly ID: number;
}

export interface NetworkId {
  readonly NetworkID: string;
}

export interface NetworkRequest extends NetworkId {
  readonly Options: JsonObject;
  readonly IPv4Data: readonly Pool[];
  readonly IPv6Data: readonly Pool[];
}

export interface EndpointId extends NetworkId {
  readonly EndpointID: string;
}

export interface EndpointRequest extends EndpointId {
  readonly Interface?: GivenInterface | undefined;
  readonly Interfaces?: readonly ListedInterface[] | undefined;
  readonly Options: JsonObject;
}

export interface JoinRequest extends EndpointId {
  readonly SandboxKey: string;
  readonly Options: JsonObject;
}

export interface ProgramRequest extends EndpointId {
  readonly Options: JsonObject;
}

/** An interface in a reply. */
export interface InterfaceReply {
  readonly Address?: string;
  readonly AddressIPv6?: string;
  readonly MacAddress?: string;
}

/** Longest id, and longest address or name of a pool, in UTF-16 units. */
const ID_CHARS = 256;
const WORD_CHARS = 128;
const POOLS = 64;
const INTERFACES = 256;

const id = text(1, ID_CHARS);
const word = optional(text(0, WORD_CHARS), "");
const json = optional<JsonObject, JsonObject>(jsonObject, {});
const pools = optional<readonly Pool[], readonly Pool[]>(
  list(object<Pool>({ AddressSpace: word, Pool: word, Gateway: word, AuxAddresses: json }), POOLS),
  [],
);
const given = { Address: word, AddressIPv6: word, MacAddress: word };

/** `Plugin.Activate`, `GetCapabilities`: the body is ignored. */
export const nothing: Reader<unknown> = (value) => value;

export const networkId: Reader<NetworkId> = object<NetworkId>({ NetworkID: id });

export const network: Reader<NetworkRequest> = object<NetworkRequest>({
  NetworkID: id,
  Options: json,
  IPv4Data: pools,
  IPv6Data: pools,
});

export const endpointId: Reader<EndpointId> = object<EndpointId>({ NetworkID: id, EndpointID: id });

export const endpoint: Reader<EndpointRequest> = object<Required<EndpointRequest>>({
  NetworkID: id,
  EndpointID: id,
  Interface: optional(object<GivenInterface>(given), undefined),
  Interfaces: optional(list(object<ListedInterface>({ ...given, ID: optional(count, 0) }), INTERFACES), undefined),
  Options: json,
});

export const join: Reader<JoinRequest> = object<JoinRequest>({
  NetworkID: id,
  EndpointID: id,
  SandboxKey: id,
  Options: json,
});

export const connectivity: Reader<ProgramRequest> = object<ProgramRequest>({
  NetworkID: id,
  EndpointID: id,
  Options: json,
});

export const gatewayCheck: Reader<{ readonly Options: JsonObject }> = object({ Options: json });

export const discovery: Reader<{ readonly DiscoveryType: number }> = object({ DiscoveryType: count });
