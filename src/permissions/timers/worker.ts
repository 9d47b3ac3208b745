/** `timers`, in the worker: setTimeout, setInterval and setImmediate with a minimum delay and a maximum count. */
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import type { TimersLimits } from "../catalogue.js";
import type { Endowment, HostPort } from "../permission.js";
import { kindOf, overLimit, wrongArgument } from "../refusal.js";

/** Node turns a longer delay into 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** What setTimeout returns; converts to a number. `ref` and `unref` do nothing, since a worker lives as long as its plugin. */
class Timer {
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  static idOf(value: unknown): number | undefined {
    return typeof value === "object" && value !== null && #id in value ? value.#id : undefined;
  }

  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  [Symbol.toPrimitive](): number {
    return this.#id;
  }
}
Object.defineProperty(Timer.prototype, "constructor", { value: undefined });
// A handle is created while the plugin runs, after the globals have been hardened.
for (const { value } of Object.values(Object.getOwnPropertyDescriptors(Timer.prototype))) Object.freeze(value);
Object.freeze(Timer.prototype[Symbol.toPrimitive]);
Object.freeze(Timer.prototype);

/**
 * Globals `setTimeout`, `setInterval`, `setImmediate` (the shortest delay), and their `clear…`.
 * Delays are in milliseconds, raised to `minimumMs`; at most `count` timers live at once (`ERR_PERMISSION_LIMIT`).
 * Callbacks are called without `this`; an error that one throws is uncaught, and so crashes the plugin. Handles are ours: Node's
 * Timeout objects lead to its timer lists.
 */
export function endow(limits: TimersLimits, _port?: HostPort): Endowment {
  const live = new Map<number, () => void>();
  let last = 0;

  const delayOf = (name: string, delay: unknown): number => {
    if (delay === undefined || delay === null) return limits.minimumMs;
    if (typeof delay !== "number" && typeof delay !== "string" && typeof delay !== "boolean") {
      throw wrongArgument(`${name}: the delay must be a number of milliseconds, not ${kindOf(delay)}`);
    }
    const ms = Math.trunc(Number(delay));
    return ms > limits.minimumMs ? Math.min(ms, LONGEST_MS) : limits.minimumMs;
  };

  const start = (name: "setTimeout" | "setInterval", callback: unknown, delay: unknown, args: unknown[]): Timer => {
    if (typeof callback !== "function") {
      throw wrongArgument(`${name}: the callback must be a function, not ${kindOf(callback)}`);
    }
    const ms = delayOf(name, delay);
    if (live.size >= limits.count) {
      throw overLimit(`${name}: ${live.size} timers are set, and the grant allows ${limits.count}; clear some first`);
    }
    last += 1;
    const id = last;
    const run = (): void => {
      if (name === "setTimeout") live.delete(id);
      Reflect.apply(callback, undefined, args);
    };
    if (name === "setTimeout") {
      const timer = setTimeout(run, ms);
      live.set(id, () => clearTimeout(timer));
    } else {
      const timer = setInterval(run, ms);
      live.set(id, () => clearInterval(timer));
    }
    const timer = new Timer(id);
    Object.freeze(timer);
    return timer;
  };

  const clear = (handle: unknown): void => {
    const id = typeof handle === "number" ? handle : Timer.idOf(handle);
    if (id === undefined) return;
    live.get(id)?.();
    live.delete(id);
  };

  return {
    globals: {
      setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]): Timer =>
        start("setTimeout", callback, delay, args),
      setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]): Timer =>
        start("setInterval", callback, delay, args),
      setImmediate: (callback: unknown, ...args: unknown[]): Timer => start("setTimeout", callback, 0, args),
      clearImmediate: (handle?: unknown): void => clear(handle),
      clearTimeout: (handle?: unknown): void => clear(handle),
      clearInterval: (handle?: unknown): void => clear(handle),
    },
    stop() {
      for (const cancel of live.values()) cancel();
      live.clear();
    },
  };
}
