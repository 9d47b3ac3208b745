/** The events a host emits to its platform: one typed map. */
import { EventEmitter } from "eventemitter3";
import type { Logger } from "../common/logger.js";
import { nearest } from "../common/nearest.js";
import { quote } from "../common/quote.js";
import type { Json } from "../driverapi/json.js";
import type { Scope } from "../driverapi/types.js";

/** An event of a plugin; `code` and `reason` where there is one. */
export interface PluginEvent {
  readonly plugin: string;
  readonly code?: string;
  readonly reason?: string;
}

export interface DriverEvent {
  readonly plugin: string;
  readonly type: string;
  readonly scope: Scope;
}

export interface DriverRefusedEvent {
  readonly plugin: string;
  readonly type: string;
  readonly code: string;
}

/** A call reached its deadline. `blocked`: the worker's loop did not answer either. */
export interface CallTimeoutEvent {
  readonly plugin: string;
  readonly type: string;
  readonly method: string;
  readonly nid?: string;
  readonly eid?: string;
  readonly ms: number;
  readonly blocked: boolean;
}

/**
 * A line of a plugin's console or `powers.log`: escaped, cut at the grant's `lineChars`, at most `linesPerSecond` of them.
 * The lines of the first `init` come before a platform can listen; a `logger` gets those too.
 */
export interface PluginLogEvent {
  readonly plugin: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  /** The extra fields that `powers.log` was given. */
  readonly fields?: Readonly<Record<string, Json>>;
}

/** A worker sent something that no honest worker sends, and has been terminated. */
export interface ViolationEvent {
  readonly plugin: string;
  readonly code: string;
  readonly detail: string;
}

/**
 * The data folder has a problem, or no longer has it (`over`). `full`: nothing new is accepted; `checkpoint`: the log grows, since no
 * checkpoint can replace it; `failed`: nothing more is recorded until the host is started again.
 */
export interface StorageProblemEvent {
  readonly kind: "full" | "checkpoint" | "failed";
  readonly code?: string;
  readonly reason: string;
  readonly over: boolean;
}

/** Events by name. */
export interface HostEvents {
  "plugin:loaded": PluginEvent;
  "plugin:awaiting-grant": PluginEvent;
  "plugin:refused": PluginEvent;
  "plugin:restarting": PluginEvent;
  "plugin:restarted": PluginEvent;
  "plugin:unavailable": PluginEvent;
  "plugin:stopped": PluginEvent;
  "plugin:log": PluginLogEvent;
  "driver:registered": DriverEvent;
  "driver:unregistered": DriverEvent;
  "driver:refused": DriverRefusedEvent;
  "call:timeout": CallTimeoutEvent;
  violation: ViolationEvent;
  "storage:problem": StorageProblemEvent;
}

export type HostEventName = keyof HostEvents;
export type HostListener<N extends HostEventName> = (event: HostEvents[N]) => void;

const NAMES: Readonly<Record<HostEventName, true>> = {
  "plugin:loaded": true,
  "plugin:awaiting-grant": true,
  "plugin:refused": true,
  "plugin:restarting": true,
  "plugin:restarted": true,
  "plugin:unavailable": true,
  "plugin:stopped": true,
  "plugin:log": true,
  "driver:registered": true,
  "driver:unregistered": true,
  "driver:refused": true,
  "call:timeout": true,
  violation: true,
  "storage:problem": true,
};

/** The names of all events. */
const HOST_EVENTS: readonly HostEventName[] = Object.freeze(Object.keys(NAMES) as HostEventName[]);

type ListenerMap = { [N in HostEventName]: (event: HostEvents[N]) => void };

/** eventemitter3, except that a listener that throws or rejects is logged and does not stop the others. */
export class HostEmitter {
  readonly #emitter = new EventEmitter<ListenerMap>();
  /** Weak: repeated `once` calls leave nothing behind. */
  readonly #guards = new Map<HostEventName, WeakMap<object, (event: never) => void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Adds a listener. Throws `TypeError` for a listener that is not a function, as Node's emitters do, and for an unknown
   * event.
   */
  on<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    this.#emitter.on(name, this.#guard(name, listener) as never);
  }

  once<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    this.#emitter.once(name, this.#guard(name, listener) as never);
  }

  off<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    checkName(name);
    const guard = this.#guards.get(name)?.get(listener);
    if (guard) this.#emitter.off(name, guard as never);
  }

  clear(): void {
    this.#emitter.removeAllListeners();
    this.#guards.clear();
  }

  emit<N extends HostEventName>(name: N, event: HostEvents[N]): void {
    if (this.#emitter.listenerCount(name) > 0) this.#emitter.emit(name, ...([Object.freeze(event)] as never));
  }

  #guard<N extends HostEventName>(name: N, listener: HostListener<N>): (event: HostEvents[N]) => void {
    checkName(name);
    if (typeof listener !== "function") throw new TypeError(`the listener of "${name}" is not a function`);
    let guards = this.#guards.get(name);
    if (!guards) {
      guards = new WeakMap();
      this.#guards.set(name, guards);
    }
    const known = guards.get(listener);
    if (known) return known as (event: HostEvents[N]) => void;
    const failed = (error: unknown): void =>
      this.#logger.error({ event: name, err: error }, `a listener of "${name}" threw`);
    const guard = (event: HostEvents[N]): void => {
      try {
        const result: unknown = listener(event);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
    guards.set(listener, guard);
    return guard;
  }
}

/** Throws `TypeError` for an unknown event name: its listener would never be called. */
function checkName(name: unknown): void {
  if (typeof name === "string" && Object.hasOwn(NAMES, name)) return;
  const near = typeof name === "string" ? nearest(name, HOST_EVENTS) : undefined;
  const known = near === undefined ? `the events are ${HOST_EVENTS.join(", ")}` : `did you mean "${near}"?`;
  throw new TypeError(`there is no event ${quote(name)}; ${known}`);
}
