/**
 * Carries out the engine's requests with a driver's methods. The engine retries interrupted requests, forgets endpoints when it
 * crashes, and ignores errors of deletes: so a repeated request gets the same reply, and a forgotten endpoint is deleted when it
 * conflicts with a new one.
 */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "../common/logger.js";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { DriverError } from "../driverapi/errors.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { JsonObject, JsonText } from "../driverapi/json.js";
import type { CallOptions, HostedDriver, InterfaceData } from "../driverapi/types.js";
import type { EndpointRecord } from "../host/calls/record.js";
import type { TypeView } from "../host/type-view.js";
import type { Holder } from "./conflicts.js";
import { engineError } from "./engine-errors.js";
import { type ForgottenOptions, forgottenWithAddresses, forgottenWithPorts } from "./forgotten-endpoints.js";
import { givenInterfaces, interfacesReply } from "./interfaces.js";
import { joinReply } from "./join-reply.js";
import { DOCKER } from "./limits.js";
import { logPorts } from "./port-log.js";
import { hasPorts, wantedPorts, withoutPorts } from "./port-map.js";
import { sandboxState } from "./sandbox-state.js";
import type { EndpointId, EndpointRequest, JoinRequest, NetworkRequest, ProgramRequest } from "./wire.js";

/** Option with the pools and gateways that the engine chose: `{ ipv4: [{ Pool, Gateway, … }], ipv6: […] }`. */
const IPAM_KEY = "com.docker.network.ipam";

export interface DriverCallsOptions extends ForgottenOptions {
  readonly driver: HostedDriver;
  readonly logger: Logger;
}

export class DriverCalls {
  readonly #driver: HostedDriver;
  readonly #view: TypeView;
  readonly #options: DriverCallsOptions;

  constructor(options: DriverCallsOptions) {
    this.#driver = options.driver;
    this.#view = options.view;
    this.#options = options;
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
    // The engine has forgotten these, or never knew them: it deletes only networks on which it does not know any endpoint.
    for (const endpoint of [...(known?.endpoints.values() ?? [])]) {
      if (endpoint.byHand) this.#logGone(NetworkID, endpoint.eid);
      await this.drop(NetworkID, endpoint, call);
    }
    await ignoreMissing(this.#driver.deleteNetwork(NetworkID, call));
    return {};
  }

  async createEndpoint(request: EndpointRequest, call: CallOptions): Promise<object> {
    const { NetworkID, EndpointID } = request;
    const options = this.#endpointOptions(request.Options);
    const info = givenInterfaces(request);
    const given = info.toJSON();
    const known = this.#view.network(NetworkID)?.endpoints.get(EndpointID);
    if (known?.phase === "live") {
      if (isSame(known.options, options) && agrees(given, known.interfaces))
        return interfacesReply(request, known.interfaces);
      await this.#replace(NetworkID, known, call);
    }
    for (const holder of await forgottenWithAddresses(this.#options, NetworkID, EndpointID, given))
      await this.#dropWhenFree(holder, call);
    await this.#publishing(EndpointID, options, call, async () => {
      await this.#driver.createEndpoint(NetworkID, EndpointID, info, options, call);
      this.#options.recent.created(NetworkID, EndpointID);
    });
    const now = info.toJSON();
    this.#log(NetworkID, EndpointID, options, now);
    return interfacesReply(request, now);
  }

  async deleteEndpoint({ NetworkID, EndpointID }: EndpointId, call: CallOptions): Promise<object> {
    const known = this.#view.network(NetworkID)?.endpoints.get(EndpointID);
    if (known) await this.drop(NetworkID, known, call);
    else await this.#delete(NetworkID, EndpointID, call);
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
    if (endpoint && sandboxState(endpoint) === "gone") await this.#leave(NetworkID, endpoint, call);
    const info = new JoinConfig(new EndpointConfig(endpoint?.interfaces ?? []));
    await this.#driver.join(NetworkID, EndpointID, SandboxKey, info, this.#endpointOptions(Options), call);
    const data = info.toJSON();
    try {
      // The engine moves every link that is named here.
      const foreign = data.names.find(({ srcName }) => !this.#view.owns(srcName));
      if (foreign)
        throw new DriverError(
          "ERR_DRIVER_REPLY",
          `interface ${foreign.id}: "${foreign.srcName}" is not a link that plugin "${this.#view.plugin}" made; setNames is for links made with powers.netlink`,
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

  /** Replaces the ports that an endpoint publishes. The engine calls this for one network of a container. */
  async programExternalConnectivity(request: ProgramRequest, call: CallOptions): Promise<object> {
    // A driver without this method got its ports with the endpoint's options.
    if (!this.#view.external) return {};
    const { NetworkID, EndpointID, Options } = request;
    await this.#publishing(EndpointID, Options, call, () =>
      this.#driver.programExternalConnectivity(NetworkID, EndpointID, Options, call),
    );
    const known = this.#view.network(NetworkID)?.endpoints.get(EndpointID);
    this.#log(NetworkID, EndpointID, Options, known?.interfaces ?? []);
    return {};
  }

  async revokeExternalConnectivity({ NetworkID, EndpointID }: EndpointId, call: CallOptions): Promise<object> {
    if (this.#view.external) await ignoreMissing(this.#driver.revokeExternalConnectivity(NetworkID, EndpointID, call));
    return {};
  }

  /** Removes the ports from options of a driver that gets them with `programExternalConnectivity`. */
  #endpointOptions(options: JsonObject): JsonObject {
    return this.#view.external ? withoutPorts(options) : options;
  }

  /** Runs `publish` after deleting forgotten endpoints that hold its ports; words a refusal as the engine would. */
  async #publishing(eid: string, options: JsonObject, call: CallOptions, publish: () => Promise<void>): Promise<void> {
    for (const holder of await forgottenWithPorts(this.#options, eid, options)) await this.#dropWhenFree(holder, call);
    try {
      await publish();
    } catch (error) {
      throw await engineError(error, this.#view, wantedPorts(options), this.#options.engine);
    }
  }

  #log(nid: string, eid: string, options: JsonObject, interfaces: readonly InterfaceData[]): void {
    if (hasPorts(options)) void logPorts(this.#options.logger, this.#view, { nid, eid, interfaces });
  }

  #logGone(network: string, endpoint: string): void {
    const words = `docker: endpoint "${endpoint}", which an operator made, is deleted with its network: the engine deletes that`;
    this.#options.logger.warn({ network, endpoint }, words);
  }

  /** Deletes an endpoint that is requested again with other settings, unless a sandbox uses it. */
  async #replace(nid: string, known: EndpointRecord, call: CallOptions): Promise<void> {
    const state = sandboxState(known);
    if (state === "lives" || state === "unseen")
      throw new DriverError(
        "ERR_ENDPOINT_EXISTS",
        `endpoint ${known.eid} exists already on network ${nid} with another address, MAC address or options, and a container uses it; remove that container first`,
      );
    await this.#dropWhenFree({ nid, endpoint: known }, call);
  }

  /** Deletes an endpoint; while another call on it is in progress, retries until the engine stops waiting. */
  async #dropWhenFree({ nid, endpoint }: Pick<Holder, "nid" | "endpoint">, call: CallOptions): Promise<void> {
    for (;;) {
      try {
        return await this.drop(nid, endpoint, call);
      } catch (error) {
        if (!(error instanceof DriverError && error.code === "ERR_DRIVER_BUSY") || call.signal?.aborted) throw error;
        // The refusal may be immediate: without a pause the retries would starve the event loop.
        await new Promise((resolve) => setTimeout(resolve, DOCKER.retryMs));
      }
    }
  }

  /** Revokes, leaves and deletes an endpoint that the engine has forgotten. */
  async drop(nid: string, endpoint: EndpointRecord, call: CallOptions): Promise<void> {
    if (endpoint.external) await ignoreMissing(this.#driver.revokeExternalConnectivity(nid, endpoint.eid, call));
    if (endpoint.join) await this.#leave(nid, endpoint, call);
    // A sandbox returns its links after Leave, or they are deleted with it.
    await this.#view.returned();
    await this.#delete(nid, endpoint.eid, call);
  }

  async #delete(nid: string, eid: string, call: CallOptions): Promise<void> {
    await ignoreMissing(this.#driver.deleteEndpoint(nid, eid, call));
    this.#options.recent.deleted(nid, eid);
  }

  async #leave(nid: string, { eid }: EndpointRecord, call: CallOptions): Promise<void> {
    await ignoreMissing(this.#driver.leave(nid, eid, call));
  }
}

/** Compares options, whatever the order of their keys. */
function isSame(recorded: JsonText, options: JsonObject): boolean {
  return recorded === JSON.stringify(options) || isDeepStrictEqual(JSON.parse(recorded), options);
}

/** Returns whether the endpoint has all that the engine asks for; what it leaves open was the driver's choice. */
function agrees(given: readonly InterfaceData[], has: readonly InterfaceData[]): boolean {
  return given.every((asked) => {
    const one = has.find(({ id }) => id === asked.id);
    if (!one) return false;
    const { mac, ipv4, ipv6 } = asked;
    return [
      [mac, one.mac],
      [ipv4, one.ipv4],
      [ipv6, one.ipv6],
    ].every(([wanted, had]) => wanted === "" || wanted === had);
  });
}

/** Counts a delete of something missing as a success: its first attempt was interrupted. */
async function ignoreMissing(deleted: Promise<void>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (!(error instanceof DriverError && (error.kind === "NotFound" || error.code === "ERR_ENDPOINT_NOT_JOINED")))
      throw error;
  }
}
