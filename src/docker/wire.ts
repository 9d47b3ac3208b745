/**
 * Schemas of Docker's remote network driver protocol; requests are untrusted until parsed. Unknown fields are ignored; both forms
 * are read, one `Interface` (since 1.9) and a list of `Interfaces` (2015).
 */

import { z } from "../common/zod.js";
import type { Json, JsonObject } from "../driverapi/json.js";

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
  readonly Interface?: GivenInterface | null | undefined;
  readonly Interfaces?: readonly (GivenInterface & { readonly ID: number })[] | null | undefined;
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

/** Text for programs and logs: no control characters. */
const plain = z.string().regex(/^\P{Cc}*$/u, "must hold no control characters");
const id = plain.min(1).max(ID_CHARS);
const word = plain
  .max(WORD_CHARS)
  .nullish()
  .transform((value) => value ?? "");
/** A JSON object; the host checks its contents again. */
const object = z
  .custom<JsonObject>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "must be an object",
  )
  .nullish()
  .transform((value) => value ?? {});
const pools = z
  .array(z.object({ AddressSpace: word, Pool: word, Gateway: word, AuxAddresses: object }))
  .max(POOLS)
  .nullish()
  .transform((value) => value ?? []);
const given = z.object({ Address: word, AddressIPv6: word, MacAddress: word });
const listed = given.extend({ ID: z.int().min(0).default(0) });

/** `Plugin.Activate`, `GetCapabilities`: the body is ignored. */
export const nothing: z.ZodType<unknown> = z.unknown();

export const networkId: z.ZodType<NetworkId> = z.object({ NetworkID: id });

export const network: z.ZodType<NetworkRequest> = z.object({
  NetworkID: id,
  Options: object,
  IPv4Data: pools,
  IPv6Data: pools,
});

export const endpointId: z.ZodType<EndpointId> = z.object({ NetworkID: id, EndpointID: id });

export const endpoint: z.ZodType<EndpointRequest> = z.object({
  NetworkID: id,
  EndpointID: id,
  Interface: given.nullish(),
  Interfaces: z.array(listed).max(INTERFACES).nullish(),
  Options: object,
});

export const join: z.ZodType<JoinRequest> = z.object({
  NetworkID: id,
  EndpointID: id,
  SandboxKey: id,
  Options: object,
});

export const connectivity: z.ZodType<ProgramRequest> = z.object({
  NetworkID: id,
  EndpointID: id,
  Options: object,
});

export const gatewayCheck: z.ZodType<{ readonly Options: JsonObject }> = z.object({ Options: object });

export const discovery: z.ZodType<{ readonly DiscoveryType: number; readonly DiscoveryData?: Json | undefined }> =
  z.object({ DiscoveryType: z.int(), DiscoveryData: z.json().optional() });
