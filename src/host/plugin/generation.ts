/** One worker's life as a plugin: launched, started, its drivers registered. Every restart and reload creates a new one. */

import { escapeLine } from "../../common/escape.js";
import type { ErrorCode } from "../../driverapi/errors.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json, JsonObject } from "../../driverapi/json.js";
import { parseScope, parseTypeName } from "../../driverapi/names.js";
import { hasOptionalMethods, OPTIONAL_METHODS_RULE } from "../../driverapi/optional-methods.js";
import type { Scope } from "../../driverapi/types.js";
import type { Isolation, Link } from "../../isolation/link.js";
import type { WallName } from "../../isolation/walls/wall.js";
import { LIMITS } from "../../protocol/limits.js";
import { type SessionEnd, ThrownFailure } from "../../session/outcome.js";
import { Session } from "../../session/session.js";
import { ask } from "../calls/ask.js";
import { framesOf, oneLine } from "../calls/errors.js";
import type { HostContext } from "../context.js";
import type { OpenPowers } from "./powers.js";
import type { Prepared } from "./prepare.js";

/** A driver registered in this worker. */
export interface Registration {
  readonly type: string;
  readonly index: number;
  readonly scope: Scope;
  /** True if it has the methods of external connectivity. */
  readonly external: boolean;
}

export interface GenerationHooks {
  /** Does the host-wide part of a registration: ownership and the platform's callback. Throws. */
  admit(generation: Generation, registration: Registration): Promise<void>;
  /** Returns the configurations for a driver, first to last. */
  configurations(generation: Generation, type: string): readonly JsonObject[];
  /** The registration is complete. */
  registered(generation: Generation, registration: Registration): void;
  /** The registration failed: undoes what `admit` did. */
  unregistered(generation: Generation, registration: Registration): void;
  refused(type: string, error: DriverError): void;
  violation(code: ErrorCode, detail: string): void;
  throttled(code: ErrorCode, detail: string): void;
  /** A driver has replied to a call, after `ms` milliseconds. */
  replied(ms: number): void;
  /** Returns true while the plugin has neither crashed nor broken the protocol. */
  clean(): boolean;
  /** Returns the crashes of its code within the breaker's window. */
  crashes(): number;
  /** Asks to move its worker to another process. */
  move(generation: Generation): void;
  ended(generation: Generation, end: SessionEnd): void;
}

/** Refused registrations after which a worker is terminated for flooding. */
const REFUSALS = 64;

export class Generation {
  readonly prepared: Prepared;
  readonly registrations: Map<string, Registration> = new Map();
  /** Types that this worker was the first to register. */
  readonly fresh: Set<string> = new Set();
  readonly #context: HostContext;
  readonly #hooks: GenerationHooks;
  readonly #powers: OpenPowers;
  #session: Session | undefined;
  #link: Link | undefined;
  #refusals = 0;
  /** Types whose registration is pending. */
  readonly #underWay = new Set<string>();

  constructor(prepared: Prepared, powers: OpenPowers, context: HostContext, hooks: GenerationHooks) {
    this.prepared = prepared;
    this.#powers = powers;
    this.#context = context;
    this.#hooks = hooks;
  }

  get session(): Session {
    if (!this.#session) throw new Error("the generation has not been started");
    return this.#session;
  }

  get isolation(): Isolation | undefined {
    return this.#link?.isolation;
  }

  get wall(): WallName | undefined {
    return this.#link?.wall;
  }

  get pid(): number | undefined {
    return this.#link?.pid;
  }

  get residentMb(): number | undefined {
    return this.#link?.residentMb;
  }

  /** CPU time of its worker, in milliseconds. */
  get cpuMs(): number {
    return this.#session?.cpuMs ?? 0;
  }

  /** True if its start failed because its host process ended, and another plugin in it may be the cause. */
  get innocent(): boolean {
    return this.#session?.over?.innocent === true;
  }

  /** Throws if its worker has ended, with the reason. */
  assertAlive(): void {
    if (this.alive) return;
    const why = this.#session?.over?.reason;
    throw new Error(`its worker ended while it was put into service${why === undefined ? "" : `: ${why}`}`);
  }

  get alive(): boolean {
    return this.#session?.alive === true;
  }

  /** Starts the worker. Resolves when `init` has returned and at least one driver is registered. Throws `DriverError`. */
  async start(harsh: boolean): Promise<void> {
    const { id, effective, code, sourceMap } = this.prepared;
    const launcher = this.#context.launcher(effective.isolation);
    const link = await launcher.launch({
      plugin: id,
      memoryMb: effective.memoryMb,
      clean: () => this.#hooks.clean(),
      crashes: () => this.#hooks.crashes(),
      move: () => this.#hooks.move(this),
    });
    this.#link = link;
    const session = new Session(
      link,
      {
        request: (name, args) => this.#request(name, args),
        notice: (name, args) => this.#notice(name, args),
        violation: (violated, detail) => this.#hooks.violation(violated, detail),
        throttled: (code, detail) => this.#hooks.throttled(code, detail),
        replied: (ms) => this.#hooks.replied(ms),
        ended: (end) => this.#hooks.ended(this, end),
      },
      { defaultDeadline: effective.timeouts.default, cpuPercent: effective.cpuPercent, time: this.#powers.time },
    );
    this.#session = session;
    if (harsh) session.judgeHarshly();
    try {
      await session.start({
        plugin: id,
        code,
        sourceMap,
        grant: effective.permissions as Readonly<Record<string, Json>>,
        deadline: effective.timeouts.init,
      });
    } catch (error) {
      this.stop("its start failed");
      throw startError(id, error);
    }
    if (this.registrations.size === 0) {
      this.stop("it registered no driver");
      throw new DriverError(
        "ERR_PLUGIN_NO_DRIVER",
        `plugin "${id}": init returned and registered no driver; call callback.registerDriver in it, and await it`,
        { plugin: id },
      );
    }
  }

  /** Terminates the worker by the host's own decision. */
  stop(reason: string): void {
    this.#session?.end({ code: "ERR_PLUGIN_STOPPED", reason, crash: false });
  }

  #request(name: string, args: readonly Json[]): Json | Promise<Json> | undefined {
    if (name === "registerDriver") return this.#register(args);
    return this.#powers.methods.get(name)?.(args);
  }

  #notice(name: string, args: readonly Json[]): boolean {
    if (name === "driverRefused") {
      this.#refusedInside(args);
      return true;
    }
    const notice = this.#powers.notices.get(name);
    notice?.(args);
    return notice !== undefined;
  }

  async #register([name, index, scope, optional]: readonly Json[]): Promise<Json> {
    let registration: Registration;
    try {
      registration = this.#check(name, index, scope, optional);
      await this.#hooks.admit(this, registration);
    } catch (error) {
      throw this.#refuse(name, error);
    }
    const { type } = registration;
    this.#underWay.add(type);
    try {
      for (const options of this.#hooks.configurations(this, type)) await this.#configure(registration, options);
      if (!this.alive) throw new DriverError("ERR_PLUGIN_STOPPED", "its worker has ended");
    } catch (error) {
      this.#hooks.unregistered(this, registration);
      throw this.#refuse(name, error);
    } finally {
      this.#underWay.delete(type);
    }
    this.registrations.set(type, registration);
    this.#hooks.registered(this, registration);
    return null;
  }

  #check(name: unknown, index: unknown, scope: unknown, optional: unknown): Registration {
    const { id, effective } = this.prepared;
    const type = parseTypeName(name);
    const asked = parseScope(scope);
    const details = { plugin: id, driver: type };
    if (typeof index !== "number" || !Number.isSafeInteger(index) || index < 0)
      throw new DriverError("ERR_DRIVER_SHAPE", "a driver without index", details);
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
        `plugin "${id}" may register ${effective.drivers} driver(s) (limits.drivers)`,
        details,
      );
    }
    return { type, index, scope: asked, external };
  }

  async #configure({ type, index, external }: Registration, options: JsonObject): Promise<void> {
    const { id, effective } = this.prepared;
    const ms = effective.timeouts.config;
    const outcome = await ask(
      { session: this.session, index, external },
      "config",
      [JSON.stringify(options)],
      ms,
      "deadline",
    );
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

  /**
   * Handles a registration that the worker refused before it reached the host. The message comes from the worker, and is
   * hostile.
   */
  #refusedInside([name, code, message]: readonly Json[]): void {
    const known = code === "ERR_TYPE_NAME" || code === "ERR_BAD_CAPABILITY" ? code : "ERR_DRIVER_SHAPE";
    const words = escapeLine(typeof message === "string" ? message : "", LIMITS.messageChars);
    this.#refuse(
      typeof name === "string" ? escapeLine(name, 64) : name,
      new DriverError(known, words, { plugin: this.prepared.id }),
    );
  }

  #refuse(name: unknown, cause: unknown): DriverError {
    const error =
      cause instanceof DriverError
        ? cause
        : new DriverError("ERR_PERMISSION_FAILED", "the host failed to register the driver", { cause });
    // A name may be anything: `String` of an object without a usable toString throws.
    this.#hooks.refused(typeof name === "string" ? name.slice(0, 64) : `(${typeof name})`, error);
    if (++this.#refusals > REFUSALS && this.alive) {
      this.#hooks.violation("ERR_FLOOD", `${REFUSALS} refused registrations`);
      this.session.end({
        code: "ERR_FLOOD",
        reason: `it registered ${REFUSALS} drivers that were refused`,
        crash: true,
      });
    }
    return error;
  }
}

const STAGES = {
  load: { code: "ERR_PLUGIN_LOAD", text: "its code threw while it was evaluated" },
  export: { code: "ERR_PLUGIN_NO_INIT", text: "it cannot start" },
  init: { code: "ERR_PLUGIN_INIT", text: "init threw" },
  protocol: { code: "ERR_PROTOCOL_VERSION", text: "its worker refused the handshake" },
} as const;

function startError(plugin: string, cause: unknown): DriverError {
  if (!(cause instanceof ThrownFailure))
    return new DriverError("ERR_PLUGIN_START", `plugin "${plugin}" could not be started`, { plugin, cause });
  if (cause.thrown) {
    const { stage, error } = cause.thrown;
    const { code, text } = STAGES[stage];
    const { name, message, file, line } = error;
    return new DriverError(
      code,
      `plugin "${plugin}": ${text}: ${stage === "export" ? "" : `${oneLine(name)}: `}${oneLine(message)}${where(error)}`,
      { plugin, file: file && oneLine(file), line, pluginStack: framesOf(error)?.join("\n") },
    );
  }
  const end = cause.end;
  const code = end?.code === "ERR_PLUGIN_BLOCKED" ? "ERR_PLUGIN_INIT_TIMEOUT" : (end?.code ?? "ERR_PLUGIN_START");
  return new DriverError(code, `plugin "${plugin}" did not start: ${end?.reason ?? "its worker ended"}`, { plugin });
}

function where({ file, line }: { readonly file?: string; readonly line?: number }): string {
  return file === undefined ? "" : ` (${oneLine(file)}:${line})`;
}
