/** The methods that `POST /v1/call` and `bulkhead call` take, and their arguments. Loads nothing: the commands start fast. */
import type { HostedDriver } from "../driverapi/types.js";

/** All but `type`, which asks nothing of the plugin. */
export type CallMethod = Exclude<keyof HostedDriver, "type">;

/** The arguments of each method, in order, without `epInfo` and `jinfo`; `options` is an object, and may be left out. */
export const CALL_ARGUMENTS: Readonly<Record<CallMethod, readonly string[]>> = {
  config: ["options"],
  createNetwork: ["nid", "options"],
  deleteNetwork: ["nid"],
  createEndpoint: ["nid", "eid", "options"],
  deleteEndpoint: ["nid", "eid"],
  endpointOperInfo: ["nid", "eid"],
  join: ["nid", "eid", "sandbox", "options"],
  leave: ["nid", "eid"],
  programExternalConnectivity: ["nid", "eid", "options"],
  revokeExternalConnectivity: ["nid", "eid"],
};

/** The methods, in that order. */
export const CALL_METHODS: readonly CallMethod[] = Object.keys(CALL_ARGUMENTS) as CallMethod[];
