/**
 * What the engine's requests come to in a driver's nine methods. The engine retries what was cut off, forgets endpoints when it
 * crashes, and does not hear a veto to a delete: so what is recorded already in the same words is answered again, and what it
 * has forgotten is left and deleted when it stands in the way.
 */
import { isDeepStrictEqual } from "node:util";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { DriverError } from "../driverapi/errors.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { JsonObject, JsonText } from "../driverapi/json.js";
import type { CallOptions, HostedDriver, InterfaceData, JoinData } from "../driverapi/types.js";
import type { EndpointRecord } from "../host/calls/records.js";
import type { TypeView } from "../host/type-view.js";
import { hasLostSandbox } from "./collector.js";
import { givenInterfaces, interfacesReply } from "./interfaces.js";
import type { EndpointId, EndpointRequest, JoinRequest, NetworkRequest } from "./wire.js";

/** Under this key a driver finds the pools and gateways that the engine chose: `{ ipv4: [{ Pool, Gateway, … }], ipv6: […] }`. */
const IPAM_KEY = "com.docker.network.ipam";

export class DriverCalls {
  readonly #driver: HostedDriver;
  readonly #view: TypeView;

  constructor(driver: HostedDriver, view: TypeView) {
    this.#driver = driver;
    this.#view = view;
  }

  async createNetwork({ NetworkID, Options, IPv4Data, IPv6Data }: NetworkRequest, call: CallOptions): Promise<object> {
    const ipam = { ipv4: IPv4Data, ipv6: IPv6Data } as unknown as JsonObject;
    const options: JsonObject = { ...Options, [IPAM_KEY]: ipam };
    const known = this.#view.network(NetworkID);
    if (known?.phase === "live" && isSame(known.options, options)) return {};
    await this.#driver.createNetwork(NetworkID, options, call);
    return {};
  }

  async deleteNetwork({ NetworkID }: { readonly NetworkID: string }, call: CallOptions): Promise<object> {
    const known = this.#view.network(NetworkID);
    // It would not ask while it knew of any.
    for (const endpoint of [...(known?.endpoints.values() ?? [])]) await this.drop(NetworkID, endpoint, call);
    await gone(this.#driver.deleteNetwork(NetworkID, call));
    return {};
  }

  async createEndpoint(request: EndpointRequest, call: CallOptions): Promise<object> {
    const { NetworkID, EndpointID, Options } = request;
    const info = givenInterfaces(request);
    const known = this.#view.network(NetworkID)?.endpoints.get(EndpointID);
    if (known?.phase === "live" && isSame(known.options, Options as JsonObject))
      return interfacesReply(request, known.interfaces);
    await this.#dropForgotten(NetworkID, EndpointID, info, call);
    await this.#driver.createEndpoint(NetworkID, EndpointID, info, Options as JsonObject, call);
    return interfacesReply(request, info.toJSON());
  }

  async deleteEndpoint({ NetworkID, EndpointID }: EndpointId, call: CallOptions): Promise<object> {
    const known = this.#view.network(NetworkID)?.endpoints.get(EndpointID);
    if (known) await this.drop(NetworkID, known, call);
    else await gone(this.#driver.deleteEndpoint(NetworkID, EndpointID, call));
    return {};
  }

  async endpointOperInfo({ NetworkID, EndpointID }: EndpointId, call: CallOptions): Promise<object> {
    return { Value: await this.#driver.endpointOperInfo(NetworkID, EndpointID, call) };
  }

  async join({ NetworkID, EndpointID, SandboxKey, Options }: JoinRequest, call: CallOptions): Promise<object> {
    const endpoint = this.#view.network(NetworkID)?.endpoints.get(EndpointID);
    const before = endpoint?.join;
    if (before?.phase === "live" && before.data && before.sboxKey === SandboxKey) return joinReply(before.data);
    // A join whose sandbox is gone was never left: its engine crashed.
    if (endpoint && before && hasLostSandbox(endpoint)) await this.#leave(NetworkID, endpoint, call);
    const info = new JoinConfig(new EndpointConfig(endpoint?.interfaces ?? []));
    await this.#driver.join(NetworkID, EndpointID, SandboxKey, info, Options as JsonObject, call);
    const data = info.toJSON();
    try {
      // The engine will move what is named here, whatever it is.
      const foreign = data.names.find(({ srcName }) => !this.#view.owns(srcName));
      if (foreign)
        throw new DriverError(
          "ERR_DRIVER_REPLY",
          `interface ${foreign.id}: "${foreign.srcName}" is no link that plugin "${this.#view.plugin}" made`,
        );
      for (const { srcName } of data.names) await this.#view.moved(srcName, SandboxKey);
    } catch (error) {
      await this.#driver.leave(NetworkID, EndpointID);
      throw error;
    }
    return joinReply(data);
  }

  async leave({ NetworkID, EndpointID }: EndpointId, call: CallOptions): Promise<object> {
    await this.#driver.leave(NetworkID, EndpointID, call);
    return {};
  }

  /** An address is the engine's to give: whoever had it and is not the one asked for has been forgotten by it. */
  async #dropForgotten(nid: string, eid: string, info: EndpointConfig, call: CallOptions): Promise<void> {
    const wanted = info.toJSON().flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((one) => one !== ""));
    if (wanted.length === 0) return;
    const has = ({ ipv4, ipv6 }: InterfaceData): boolean => wanted.includes(ipv4) || wanted.includes(ipv6);
    const forgotten: EndpointRecord[] = [];
    for (const endpoint of this.#view.network(nid)?.endpoints.values() ?? [])
      if (endpoint.interfaces.some(has) && endpoint.eid !== eid) forgotten.push(endpoint);
    for (const endpoint of forgotten) await this.#dropWhenFree(nid, endpoint, call);
  }

  /** A call that hangs holds its id until the host has ended it: that is waited for, as long as the engine is. */
  async #dropWhenFree(nid: string, endpoint: EndpointRecord, call: CallOptions): Promise<void> {
    for (;;) {
      try {
        return await this.drop(nid, endpoint, call);
      } catch (error) {
        if (!(error instanceof DriverError && error.code === "ERR_DRIVER_BUSY") || call.signal?.aborted) throw error;
      }
    }
  }

  /** Leaves and deletes an endpoint that the engine has forgotten, whatever stands recorded of it. */
  async drop(nid: string, endpoint: EndpointRecord, call: CallOptions): Promise<void> {
    if (endpoint.join) await this.#leave(nid, endpoint, call);
    // A sandbox gives its links back after Leave, or takes them along when it ends.
    await this.#view.returned();
    await gone(this.#driver.deleteEndpoint(nid, endpoint.eid, call));
  }

  async #leave(nid: string, { eid }: EndpointRecord, call: CallOptions): Promise<void> {
    await gone(this.#driver.leave(nid, eid, call));
  }
}

/** True for the same options, in whatever order. */
function isSame(recorded: JsonText, options: JsonObject): boolean {
  return recorded === JSON.stringify(options) || isDeepStrictEqual(JSON.parse(recorded), options);
}

/** A delete of what is gone already has succeeded: its first try was cut off. */
async function gone(deleted: Promise<void>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (!(error instanceof DriverError && (error.kind === "NotFound" || error.code === "ERR_ENDPOINT_NOT_JOINED")))
      throw error;
  }
}

/** Both forms at once: an engine of 2015 reads the lists. Without a gateway the engine attaches its own, as for every driver of libnetwork's. */
function joinReply({ names, gateway, gatewayIPv6, staticRoutes }: JoinData): object {
  const [first] = names;
  const routes = staticRoutes.map(({ destination, routeType, nextHop, interfaceID }) => ({
    Destination: destination,
    RouteType: routeType,
    NextHop: nextHop,
    InterfaceID: interfaceID,
  }));
  return {
    ...(first ? { InterfaceName: { SrcName: first.srcName, DstPrefix: first.dstPrefix } } : {}),
    InterfaceNames: names.map(({ srcName, dstPrefix }) => ({ SrcName: srcName, DstPrefix: dstPrefix })),
    Gateway: gateway,
    GatewayIPv6: gatewayIPv6,
    StaticRoutes: routes,
  };
}
