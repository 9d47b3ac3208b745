/** One network type as the platform sees it: its methods, served by the worker that is in service. */
import type { JsonObject, JsonText } from "../../driverapi/json.js";
import { parseOptions } from "../../driverapi/json.js";
import { parseId } from "../../driverapi/names.js";
import { optionsText } from "../../driverapi/options-text.js";
import type { CallOptions, EndpointInfo, HostedDriver, JoinInfo, Scope } from "../../driverapi/types.js";
import { LIMITS } from "../../protocol/limits.js";
import type { WorkerMethod } from "../../protocol/messages.js";

import { type CallContext, siteOf } from "./call-context.js";
import { CallPipeline } from "./call-pipeline.js";
import { CreateEndpoint } from "./create-endpoint.js";
import { type OutOfService, rejectedAtCaller, unavailable, unregistered, withSite } from "./errors.js";
import { programOperation, revokeOperation } from "./external-operations.js";
import type { LiveDriver } from "./host-call.js";
import { checkInterfaces, checkJoin, type HostView } from "./host-rules.js";
import type { RecordJournal } from "./kept-records.js";
import type { OperationScope } from "./operation.js";
import {
  configOperation,
  createNetworkOperation,
  deleteEndpointOperation,
  deleteNetworkOperation,
  endpointOperInfoOperation,
  joinOperation,
  leaveOperation,
} from "./operations.js";
import { signalOf, snapshotInterfaces, snapshotJoin } from "./platform-objects.js";
import type { NetworkRecord } from "./record.js";
import { Records } from "./records.js";
import { replay } from "./replay.js";
import { unfinishedCalls } from "./unfinished-calls.js";

export interface DriverServiceOptions extends CallContext {
  readonly scope: Scope;
  /** True if the driver has the methods of external connectivity. */
  readonly external: boolean;
  readonly journal: RecordJournal;
  readonly recovery: "replay" | "self";
  readonly host: HostView;
  readonly owns: (link: string) => boolean;
  /** Returns the subnets of the plugin's netlink grant; undefined without one. */
  readonly subnets: () => readonly string[] | undefined;
  /** Called after each deleted network. */
  readonly networkGone: () => void;
  /** Returns why new networks are refused; undefined if they are accepted. */
  readonly draining: () => string | undefined;
}

const OPTION_LIMITS = { depth: LIMITS.jsonDepth - 4, nodes: LIMITS.jsonNodes, chars: LIMITS.optionsChars };

export class DriverService {
  scope: Scope;
  /** False if its manifest keeps it from Docker engines. */
  docker = true;
  /** True if the driver last put into service has the methods of external connectivity. */
  external: boolean;
  readonly type: string;
  readonly records: Records;
  /** The methods of this registration. */
  readonly own: HostedDriver;
  /** The object the platform holds: the same for every registration of this type by its plugin. */
  driver: HostedDriver;
  readonly #options: DriverServiceOptions;
  readonly #pipeline: CallPipeline;
  readonly #scope: OperationScope;
  /** The platform's last configuration; a restarted driver gets it again. */
  #configured: JsonObject | undefined;

  constructor(options: DriverServiceOptions) {
    this.type = options.type;
    this.scope = options.scope;
    this.external = options.external;
    this.#options = options;
    this.records = new Records(options.type, options.journal);
    this.#pipeline = new CallPipeline(options);
    this.#scope = {
      type: options.type,
      records: this.records,
      replay: options.recovery === "replay",
      draining: () => options.draining(),
      refreshHost: () => options.host.refresh(),
      checkInterfaces: (interfaces) => checkInterfaces(interfaces, options.host, options.subnets()),
      checkJoin: (data) => checkJoin(data, options.host, options.owns),
    };
    this.own = this.#methods();
    this.driver = this.own;
  }

  /** Reads the journal, and adopts calls that an earlier host left unfinished: their ids are locked until they are settled. */
  async load(): Promise<void> {
    await this.records.load();
    for (const op of unfinishedCalls(this.#scope)) this.#pipeline.adopt(op);
  }

  /** Lists networks that exist, including those being created or deleted. */
  networks(): readonly string[] {
    return [...this.records.networks.keys()];
  }

  get busy(): boolean {
    return this.#pipeline.busy;
  }

  /** Makes calls wait from now on. */
  pause(): void {
    this.#pipeline.gate.close();
  }

  drained(): Promise<void> {
    return this.#pipeline.drained();
  }

  /** Makes calls fail at once from now on: the breaker is open, or no worker serves the type. */
  refuse(why: string, code: OutOfService): void {
    this.#pipeline.gate.refuse(() => unavailable({ plugin: this.#options.plugin, driver: this.type }, why, code));
  }

  /** Makes waiting calls fail because the host is closed. */
  shut(): void {
    this.#pipeline.shut();
  }

  /** Makes all calls on its driver object fail: the type is unregistered. */
  retire(): void {
    this.#pipeline.gate.refuse(() => unregistered({ plugin: this.#options.plugin, driver: this.type }));
  }

  /**
   * Restores the records in a driver that has just been registered; `suspicious`: the previous worker ended soon after a
   * restore. Rejects with `ReplayInterrupted`.
   */
  async restore(live: LiveDriver, suspicious = false): Promise<readonly NetworkRecord[]> {
    if (this.#options.recovery === "self") return [];
    const { type, records } = this;
    return replay({ type, records, suspicious, timeout: (method) => this.#options.timeout(method) }, live);
  }

  /** Sends calls to `live` from now on, and settles calls in doubt. */
  open(live: LiveDriver): void {
    this.external = live.external;
    this.#pipeline.gate.open(live);
    void this.#pipeline.resume(live);
  }

  /** The platform's own configuration of this type, if it has given one since the type was registered. */
  get configured(): JsonObject | undefined {
    return this.#configured;
  }

  #methods(): HostedDriver {
    const { type } = this;
    const pipeline = this.#pipeline;
    const scope = this.#scope;
    const network = (nid: unknown): string => parseId(nid, "network");
    const endpoint = (eid: unknown): string => parseId(eid, "endpoint");
    const checked = (options: unknown): JsonText => optionsText(options, OPTION_LIMITS);
    /** Wraps one method: errors about its arguments reject too, and say where they happened, as the call's own errors do. */
    const method =
      <A extends unknown[], T>(name: WorkerMethod, work: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> => {
        try {
          return work(...args).then(undefined, rejectedAtCaller);
        } catch (error) {
          return Promise.reject(withSite(error, siteOf(this.#options, name)));
        }
      };
    return Object.freeze<HostedDriver>({
      type: () => type,
      config: method("config", (options?: JsonObject, call?: CallOptions) => {
        const given = parseOptions(options, OPTION_LIMITS);
        return pipeline.perform(configOperation(JSON.stringify(given)), signalOf(call)).then(() => {
          this.#configured = given;
        });
      }),
      createNetwork: method("createNetwork", (nid: string, options?: JsonObject, call?: CallOptions) =>
        pipeline.perform(createNetworkOperation(scope, network(nid), checked(options)), signalOf(call)),
      ),
      deleteNetwork: method("deleteNetwork", (nid: string, call?: CallOptions) =>
        pipeline
          .perform(deleteNetworkOperation(scope, network(nid)), signalOf(call))
          .then(() => this.#options.networkGone()),
      ),
      createEndpoint: method(
        "createEndpoint",
        (nid: string, eid: string, epInfo: EndpointInfo, options?: JsonObject, call?: CallOptions) => {
          const [of, id, given] = [network(nid), endpoint(eid), snapshotInterfaces(epInfo)];
          return pipeline.perform(new CreateEndpoint(scope, of, id, epInfo, given, checked(options)), signalOf(call));
        },
      ),
      deleteEndpoint: method("deleteEndpoint", (nid: string, eid: string, call?: CallOptions) =>
        pipeline.perform(deleteEndpointOperation(scope, network(nid), endpoint(eid)), signalOf(call)),
      ),
      endpointOperInfo: method("endpointOperInfo", (nid: string, eid: string, call?: CallOptions) =>
        pipeline.perform(endpointOperInfoOperation(scope, network(nid), endpoint(eid)), signalOf(call)),
      ),
      join: method(
        "join",
        (nid: string, eid: string, sboxKey: string, jinfo: JoinInfo, options?: JsonObject, call?: CallOptions) => {
          const [of, id, key] = [network(nid), endpoint(eid), parseId(sboxKey, "sandbox")];
          const asked = snapshotJoin(jinfo);
          return pipeline.perform(joinOperation(scope, of, id, key, jinfo, asked, checked(options)), signalOf(call));
        },
      ),
      leave: method("leave", (nid: string, eid: string, call?: CallOptions) =>
        pipeline.perform(leaveOperation(scope, network(nid), endpoint(eid)), signalOf(call)),
      ),
      programExternalConnectivity: method(
        "programExternalConnectivity",
        (nid: string, eid: string, options?: JsonObject, call?: CallOptions) =>
          pipeline.perform(programOperation(scope, network(nid), endpoint(eid), checked(options)), signalOf(call)),
      ),
      revokeExternalConnectivity: method("revokeExternalConnectivity", (nid: string, eid: string, call?: CallOptions) =>
        pipeline.perform(revokeOperation(scope, network(nid), endpoint(eid)), signalOf(call)),
      ),
    });
  }
}
