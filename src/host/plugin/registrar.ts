/** Registers the drivers of one worker: each is checked, admitted by the host, configured, and then complete. */
import { escapeLine } from "../../common/escape.js";
import type { ErrorCode } from "../../driverapi/errors.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json, JsonObject } from "../../driverapi/json.js";
import { parseScope, parseTypeName } from "../../driverapi/names.js";
import { hasOptionalMethods, OPTIONAL_METHODS_RULE } from "../../driverapi/optional-methods.js";
import type { Scope } from "../../driverapi/types.js";
import { LIMITS } from "../../protocol/limits.js";
import type { Session } from "../../session/session.js";
import { oneLine } from "../calls/errors.js";
import { callDriver } from "../calls/host-call.js";
import type { Prepared } from "./prepare.js";
import { where } from "./start-error.js";

/** A driver registered in this worker. */
export interface Registration {
  readonly type: string;
  readonly index: number;
  readonly scope: Scope;
  /** True if it has the methods of external connectivity. */
  readonly external: boolean;
}

export interface RegistrarOptions {
  readonly prepared: Prepared;
  /** Returns the worker's session, which has been started. */
  session(): Session;
  /** Does the host-wide part of a registration: ownership and the platform's callback. Throws. */
  admit(registration: Registration): Promise<void>;
  /** Returns the configurations for a driver, first to last. */
  configurations(type: string): readonly JsonObject[];
  /** The registration is complete. */
  registered(registration: Registration): void;
  /** The registration failed: undoes what `admit` did. */
  unregistered(registration: Registration): void;
  refused(type: string, error: DriverError): void;
  violation(code: ErrorCode, detail: string): void;
}

/** Refused registrations after which a worker is terminated for flooding. */
const REFUSALS = 64;

export class Registrar {
  readonly registrations: Map<string, Registration> = new Map();
  readonly #options: RegistrarOptions;
  #refusals = 0;
  /** Types whose registration is pending. */
  readonly #underWay = new Set<string>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** Handles the worker's request. Throws `DriverError`. */
  async register([name, index, scope, optional]: readonly Json[]): Promise<Json> {
    const { session, admit, configurations, registered, unregistered } = this.#options;
    let registration: Registration;
    try {
      registration = this.#check(name, index, scope, optional);
      await admit(registration);
    } catch (error) {
      throw this.#refuse(name, error);
    }
    const { type } = registration;
    this.#underWay.add(type);
    try {
      for (const options of configurations(type)) await this.#configure(registration, options);
      if (!session().alive) throw new DriverError("ERR_PLUGIN_STOPPED", "its worker has ended");
    } catch (error) {
      unregistered(registration);
      throw this.#refuse(name, error);
    } finally {
      this.#underWay.delete(type);
    }
    this.registrations.set(type, registration);
    registered(registration);
    return null;
  }

  /**
   * Handles a registration that the worker refused before it reached the host. The message comes from the worker, and is
   * hostile.
   */
  refusedInside([name, code, message]: readonly Json[]): void {
    const known = code === "ERR_TYPE_NAME" || code === "ERR_BAD_CAPABILITY" ? code : "ERR_DRIVER_SHAPE";
    const words = escapeLine(typeof message === "string" ? message : "", LIMITS.messageChars);
    this.#refuse(
      typeof name === "string" ? escapeLine(name, 64) : name,
      new DriverError(known, words, { plugin: this.#options.prepared.id }),
    );
  }

  #check(name: unknown, index: unknown, scope: unknown, optional: unknown): Registration {
    const { id, effective } = this.#options.prepared;
    const type = parseTypeName(name);
    const asked = parseScope(scope);
    const details = { plugin: id, driver: type };
    if (typeof index !== "number" || !Number.isSafeInteger(index) || index < 0)
      throw new DriverError("ERR_DRIVER_SHAPE", "the driver has no index", details);
    const external = hasOptionalMethods(optional);
    if (external === undefined) throw new DriverError("ERR_DRIVER_SHAPE", OPTIONAL_METHODS_RULE, details);
    if (!effective.networkTypes.includes(type)) {
      throw new DriverError(
        "ERR_TYPE_NOT_DECLARED",
        `plugin "${id}" may register ${effective.networkTypes.map((one) => `"${one}"`).join(", ")}, not "${type}"; add it to networkTypes in its manifest`,
        details,
      );
    }
    if (asked === "global" && effective.scope !== "global") {
      throw new DriverError(
        "ERR_SCOPE_NOT_GRANTED",
        `driver "${type}" asks for scope "global"; plugin "${id}" is granted "${effective.scope}"`,
        details,
      );
    }
    if (this.registrations.has(type) || this.#underWay.has(type))
      throw new DriverError("ERR_DRIVER_EXISTS", `Driver already registered for type "${type}"`, details);
    if (this.registrations.size + this.#underWay.size >= effective.drivers) {
      throw new DriverError(
        "ERR_DRIVER_LIMIT",
        `plugin "${id}" may register at most ${effective.drivers} driver(s); raise limits.drivers in manifest and policy`,
        details,
      );
    }
    return { type, index, scope: asked, external };
  }

  async #configure({ type, index, external }: Registration, options: JsonObject): Promise<void> {
    const { prepared, session } = this.#options;
    const { id, effective } = prepared;
    const ms = effective.timeouts.config;
    const live = { session: session(), index, external };
    const outcome = await callDriver(live, "config", [JSON.stringify(options)], ms, "deadline");
    if (outcome.how === "value") return;
    const why =
      outcome.how === "error"
        ? `${oneLine(outcome.error.message || outcome.error.name)}${where(outcome.error)}`
        : outcome.how === "ended"
          ? outcome.end.reason
          : `not answered within ${ms} ms`;
    throw new DriverError("ERR_CONFIG_FAILED", `driver "${type}": config() failed, so it is not registered: ${why}`, {
      plugin: id,
      driver: type,
      method: "config",
    });
  }

  #refuse(name: unknown, cause: unknown): DriverError {
    const { session, refused, violation } = this.#options;
    const error =
      cause instanceof DriverError
        ? cause
        : new DriverError("ERR_PERMISSION_FAILED", "the host failed to register the driver", { cause });
    // A name may be anything: `String` of an object without a usable toString throws.
    refused(typeof name === "string" ? escapeLine(name, 64) : `(${typeof name})`, error);
    if (++this.#refusals > REFUSALS && session().alive) {
      violation("ERR_FLOOD", `${REFUSALS} refused registrations`);
      session().end({
        code: "ERR_FLOOD",
        reason: `it registered ${REFUSALS} drivers that were refused`,
        crash: true,
      });
    }
    return error;
  }
}
