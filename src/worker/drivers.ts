/**
 * The drivers a plugin has registered, and the service that comlink exposes to the host: one method per driver method, each
 * of which takes the driver's index first.
 */

import { quote } from "../common/quote.js";
import { OPTIONAL_DRIVER_METHODS } from "../driverapi/constants.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import { copyJson, isJsonObject, JsonError } from "../driverapi/json.js";
import type { InterfaceData, JoinData, OptionalDriverMethod, Scope } from "../driverapi/types.js";
import { LIMITS } from "../protocol/limits.js";
import type { WorkerMethod } from "../protocol/messages.js";
import { type CallContext, createCallContext, freezeDeep } from "./call-context.js";
import { createEndpointInfo, createJoinInfo } from "./endpoint-info.js";
import { checkedName, readScope, type TakenDriver, takeDriver } from "./take-driver.js";

export interface DriverTableOptions {
  /** Asks the host to register a driver; resolves when it has. */
  register(name: string, index: number, scope: string, optional: readonly string[]): Promise<unknown>;
  /** Tells the host of a registration that the worker refused, so that the operator sees it. */
  refused(name: string, code: string, message: string): void;
  /** Called around the synchronous part of each driver method; 0: none is running. */
  running(id: number): void;
  started(id: number): void;
}

/** Bounds on text, so that a reply fits into one frame, however it is escaped. */
const INFO_LIMITS = { depth: LIMITS.jsonDepth - 2, nodes: LIMITS.jsonNodes, chars: LIMITS.frameChars / 8 };

/** The methods the host may call; exposed by comlink. */
export type DriverService = Readonly<Record<WorkerMethod, (...args: never[]) => unknown>>;

export class DriverTable {
  readonly #options: DriverTableOptions;
  readonly #drivers: TakenDriver[] = [];
  readonly #calls = new Map<number, CallContext>();
  /** Id of the call being delivered: comlink's `expose` runs the method during the delivery. */
  #delivering = 0;

  constructor(options: DriverTableOptions) {
    this.#options = options;
  }

  /** Creates the `callback` given to `init`. */
  callback(): object {
    return freezeDeep({
      registerDriver: (name: unknown, driver: unknown, capability: unknown) => this.#register(name, driver, capability),
    });
  }

  /** Runs `deliver` as the delivery of call `id`. */
  delivering(id: number, deliver: () => void): void {
    this.#delivering = id;
    this.#options.started(id);
    deliver();
  }

  /** Fires a call's AbortSignal. A listener that throws counts as a stray throw, which ends the worker. */
  cancel(id: number): void {
    this.#calls.get(id)?.abort();
  }

  service(): DriverService {
    const run = (
      index: number,
      method: string,
      replay: boolean,
      args: (context: CallContext) => readonly unknown[],
    ): Promise<unknown> => this.#run(index, method, replay, args);
    // A call for a replaced worker may reach one whose driver does not have this optional method.
    const optional = (
      index: number,
      method: OptionalDriverMethod,
      replay: boolean,
      args: (context: CallContext) => readonly unknown[],
    ): Promise<unknown> | null =>
      this.#drivers[index]?.methods.has(method) === false ? null : run(index, method, replay, args).then(nothing);
    return Object.freeze({
      config: (index: number, options: JsonObject) => run(index, "config", false, () => [options]).then(nothing),
      createNetwork: (index: number, nid: string, options: JsonObject, replay: boolean) =>
        run(index, "createNetwork", replay, (call) => [nid, options, call.plugin]).then(nothing),
      deleteNetwork: (index: number, nid: string) =>
        run(index, "deleteNetwork", false, (call) => [nid, call.plugin]).then(nothing),
      createEndpoint: (
        index: number,
        nid: string,
        eid: string,
        given: readonly InterfaceData[],
        options: JsonObject,
        replay: boolean,
      ) => {
        const info = createEndpointInfo(given, replay);
        return run(index, "createEndpoint", replay, (call) => [nid, eid, info.plugin, options, call.plugin]).then(() =>
          info.added(),
        );
      },
      deleteEndpoint: (index: number, nid: string, eid: string) =>
        run(index, "deleteEndpoint", false, (call) => [nid, eid, call.plugin]).then(nothing),
      endpointOperInfo: (index: number, nid: string, eid: string) =>
        run(index, "endpointOperInfo", false, (call) => [nid, eid, call.plugin]).then((value): Json => operInfo(value)),
      join: (
        index: number,
        nid: string,
        eid: string,
        sboxKey: string,
        ids: readonly number[],
        options: JsonObject,
        replay: boolean,
      ) => {
        const info = createJoinInfo(ids);
        return run(index, "join", replay, (call) => [nid, eid, sboxKey, info.plugin, options, call.plugin]).then(
          (): JoinData => info.recorded(),
        );
      },
      leave: (index: number, nid: string, eid: string) =>
        run(index, "leave", false, (call) => [nid, eid, call.plugin]).then(nothing),
      programExternalConnectivity: (index: number, nid: string, eid: string, options: JsonObject, replay: boolean) =>
        optional(index, "programExternalConnectivity", replay, (call) => [nid, eid, options, call.plugin]),
      revokeExternalConnectivity: (index: number, nid: string, eid: string) =>
        optional(index, "revokeExternalConnectivity", false, (call) => [nid, eid, call.plugin]),
    });
  }

  /** Runs one driver method. The shared cell shows its id while its synchronous part runs. */
  async #run(
    index: number,
    method: string,
    replay: boolean,
    args: (context: CallContext) => readonly unknown[],
  ): Promise<unknown> {
    const id = this.#delivering;
    const driver = this.#drivers[index];
    const body = driver?.methods.get(method);
    if (!driver || !body) throw new Error(`no driver ${index}`);
    const context = createCallContext(replay);
    this.#calls.set(id, context);
    try {
      let result: unknown;
      this.#options.running(id);
      try {
        result = Reflect.apply(body, driver.self, args(context));
      } finally {
        this.#options.running(0);
      }
      return await result;
    } finally {
      this.#calls.delete(id);
    }
  }

  async #register(name: unknown, driver: unknown, capability: unknown): Promise<void> {
    let taken: TakenDriver;
    let scope: Scope;
    try {
      taken = await takeDriver(checkedName(name), driver);
      scope = readScope(name as string, capability);
    } catch (error) {
      const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
      // Errors thrown by the plugin's own getters and `type()` have no code of ours.
      const words = typeof message === "string" ? message : "it could not be read";
      const known = typeof code === "string" ? code : "ERR_DRIVER_SHAPE";
      this.#options.refused(typeof name === "string" ? name.slice(0, 64) : `(${typeof name})`, known, words);
      throw error;
    }
    const index = this.#drivers.length;
    this.#drivers.push(taken);
    const optional = OPTIONAL_DRIVER_METHODS.filter((method) => taken.methods.has(method));
    await this.#options.register(name as string, index, scope, optional);
  }
}

function nothing(): null {
  return null;
}

/** Returns a JSON object, or a text that says what the value is instead: the host refuses texts, as `ERR_DRIVER_REPLY`. */
function operInfo(value: unknown): Json {
  if (value === undefined || value === null) return {};
  try {
    const copy = copyJson(value, INFO_LIMITS);
    return isJsonObject(copy) ? copy : `the value is ${Array.isArray(copy) ? "a list" : quote(copy)}`;
  } catch (error) {
    return error instanceof JsonError ? error.message : "the value could not be read";
  }
}
