/** Docker's remote network driver protocol as a table: path, reader of the request, and what it does. */

import type { CallOptions } from "../driverapi/types.js";
import type { TypeView } from "../host/type-view.js";
import type { DriverCalls } from "./driver-calls.js";
import type { Reader } from "./fields.js";
import * as wire from "./wire.js";

/** What a method needs. */
export interface Serving {
  readonly calls: DriverCalls;
  readonly view: TypeView;
}

export interface Method {
  readonly path: string;
  readonly request: Reader<unknown>;
  /** `request` has been read. Rejects with `DriverError`. */
  answer(serving: Serving, request: unknown, call: CallOptions): object | Promise<object>;
}

function method<T>(
  path: string,
  request: Reader<T>,
  answer: (serving: Serving, request: T, call: CallOptions) => object | Promise<object>,
): Method {
  return { path, request, answer: (serving, read, call) => answer(serving, read as T, call) };
}

const emptyReply = (): object => ({});

/** One row per method. Any other path is answered with 404, which an engine takes for "not implemented". */
export const METHODS: readonly Method[] = [
  method("/Plugin.Activate", wire.nothing, () => ({ Implements: ["NetworkDriver"] })),
  // A swarm rejects a socket-file plugin of global scope, so the scope is always local.
  method("/NetworkDriver.GetCapabilities", wire.nothing, ({ view }) => ({
    Scope: "local",
    ConnectivityScope: view.scope,
  })),
  method("/NetworkDriver.GwAllocCheck", wire.gatewayCheck, emptyReply),
  method("/NetworkDriver.AllocateNetwork", wire.network, (_, { Options }) => ({ Options })),
  method("/NetworkDriver.FreeNetwork", wire.networkId, emptyReply),
  method("/NetworkDriver.CreateNetwork", wire.network, ({ calls }, read, call) => calls.createNetwork(read, call)),
  method("/NetworkDriver.DeleteNetwork", wire.networkId, ({ calls }, read, call) => calls.deleteNetwork(read, call)),
  method("/NetworkDriver.CreateEndpoint", wire.endpoint, ({ calls }, read, call) => calls.createEndpoint(read, call)),
  method("/NetworkDriver.DeleteEndpoint", wire.endpointId, ({ calls }, read, call) => calls.deleteEndpoint(read, call)),
  method("/NetworkDriver.EndpointOperInfo", wire.endpointId, ({ calls }, read, call) =>
    calls.endpointOperInfo(read, call),
  ),
  method("/NetworkDriver.Join", wire.join, ({ calls }, read, call) => calls.join(read, call)),
  method("/NetworkDriver.Leave", wire.endpointId, ({ calls }, read, call) => calls.leave(read, call)),
  // A driver without this pair got its port map with the endpoint's options.
  method("/NetworkDriver.ProgramExternalConnectivity", wire.connectivity, ({ calls }, read, call) =>
    calls.programExternalConnectivity(read, call),
  ),
  method("/NetworkDriver.RevokeExternalConnectivity", wire.endpointId, ({ calls }, read, call) =>
    calls.revokeExternalConnectivity(read, call),
  ),
  // The driver contract has no discovery of other hosts.
  method("/NetworkDriver.DiscoverNew", wire.discovery, emptyReply),
  method("/NetworkDriver.DiscoverDelete", wire.discovery, emptyReply),
];
