/** One worker that runs a plugin: launched, started, stopped. Every restart and reload creates a new one. */

import type { ErrorCode } from "../../driverapi/errors.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json, JsonObject } from "../../driverapi/json.js";
import type { Isolation, Link } from "../../isolation/link.js";
import type { ProfileKind } from "../../isolation/profiling.js";
import type { WallName } from "../../isolation/walls/wall.js";
import type { SessionEnd } from "../../session/outcome.js";
import { Session } from "../../session/session.js";
import type { HostContext } from "../context.js";
import { inspectable } from "./inspectable.js";
import type { OpenPowers } from "./powers.js";
import type { Prepared } from "./prepare.js";
import { Registrar, type Registration } from "./registrar.js";
import { startError } from "./start-error.js";

export interface WorkerHooks {
  /** Does the host-wide part of a registration: ownership and the platform's callback. Throws. */
  admit(worker: PluginWorker, registration: Registration): Promise<void>;
  /** Returns the configurations for a driver, first to last. */
  configurations(worker: PluginWorker, type: string): readonly JsonObject[];
  /** The registration is complete. */
  registered(worker: PluginWorker, registration: Registration): void;
  /** The registration failed: undoes what `admit` did. */
  unregistered(worker: PluginWorker, registration: Registration): void;
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
  move(worker: PluginWorker): void;
  ended(worker: PluginWorker, end: SessionEnd): void;
}

export class PluginWorker {
  readonly prepared: Prepared;
  /** Types that this worker was the first to register. */
  readonly fresh: Set<string> = new Set();
  readonly #context: HostContext;
  readonly #hooks: WorkerHooks;
  readonly #powers: OpenPowers;
  #session: Session | undefined;
  #link: Link | undefined;
  #profiling = false;
  readonly #registrar: Registrar;

  constructor(prepared: Prepared, powers: OpenPowers, context: HostContext, hooks: WorkerHooks) {
    this.prepared = prepared;
    this.#powers = powers;
    this.#context = context;
    this.#hooks = hooks;
    this.#registrar = new Registrar({
      prepared,
      session: () => this.session,
      admit: (registration) => hooks.admit(this, registration),
      configurations: (type) => hooks.configurations(this, type),
      registered: (registration) => hooks.registered(this, registration),
      unregistered: (registration) => hooks.unregistered(this, registration),
      refused: (type, error) => hooks.refused(type, error),
      violation: (code, detail) => hooks.violation(code, detail),
    });
  }

  get registrations(): ReadonlyMap<string, Registration> {
    return this.#registrar.registrations;
  }

  get session(): Session {
    if (!this.#session) throw new Error("the worker has not been started");
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

  /** Takes a profile of its worker: V8's text, unread. Rejects with an error that gives the reason. */
  async profile(of: ProfileKind, ms: number, gone?: AbortSignal): Promise<string> {
    const link = this.#link;
    if (link?.profile === undefined || !this.alive) throw new Error("its worker has ended");
    if (this.#profiling) throw new Error("another profile of it is being taken");
    this.#profiling = true;
    try {
      return await link.profile(of, ms, gone);
    } finally {
      this.#profiling = false;
    }
  }

  /** True if its session ended with its host process, in which other plugins ran too. */
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
  async start(strict: boolean): Promise<void> {
    const { id, effective, code, sourceMap } = this.prepared;
    const { sourceRoot } = this.#context;
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
    if (strict) session.judgeStrictly();
    try {
      await session.start({
        plugin: id,
        code: sourceRoot === undefined ? code : inspectable(code, sourceMap, sourceRoot),
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
    if (name === "registerDriver") return this.#registrar.register(args);
    return this.#powers.methods.get(name)?.(args);
  }

  #notice(name: string, args: readonly Json[]): boolean {
    if (name === "driverRefused") {
      this.#registrar.refusedInside(args);
      return true;
    }
    const notice = this.#powers.notices.get(name);
    notice?.(args);
    return notice !== undefined;
  }
}
