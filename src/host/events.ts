/** What a host tells its platform: one typed map. */
import { EventEmitter } from "eventemitter3";
import type { Scope } from "../driverapi/types.js";
import type { Logger } from "./logger.js";

/** Of a plugin; `code` and `reason` where there is one. */
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

/** A worker sent what no honest worker sends; it has been ended. */
export interface ViolationEvent {
  readonly plugin: string;
  readonly code: string;
  readonly detail: string;
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
  "driver:registered": DriverEvent;
  "driver:unregistered": DriverEvent;
  "driver:refused": DriverRefusedEvent;
  "call:timeout": CallTimeoutEvent;
  violation: ViolationEvent;
}

export type HostEventName = keyof HostEvents;
export type HostListener<N extends HostEventName> = (event: HostEvents[N]) => void;

type ListenerMap = { [N in HostEventName]: (event: HostEvents[N]) => void };

/** eventemitter3, but a listener that throws or rejects is logged and stops nobody. */
export class HostEmitter {
  readonly #emitter = new EventEmitter<ListenerMap>();
  /** Weak: whoever waits once, again and again, leaves nothing behind. */
  readonly #guards = new Map<HostEventName, WeakMap<object, (event: never) => void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Throws `TypeError` for a listener that is no function, as Node's emitters do. */
  on<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    this.#emitter.on(name, this.#guard(name, listener) as never);
  }

  once<N extends HostEventName>(name: N, listener: HostListener<N>): void {
    this.#emitter.once(name, this.#guard(name, listener) as never);
  }

  off<N extends HostEventName>(name: N, listener: HostListener<N>): void {
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
    if (typeof listener !== "function") throw new TypeError(`the listener of "${name}" is no function`);
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
