/** `timers`, in the worker: setTimeout and setInterval with a minimum delay, a count, and numbers for handles. */
import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import type { TimersLimits } from "../catalogue.js";
import type { Endowment, HostPort } from "../permission.js";
import { kindOf, overLimit, wrongArgument } from "../refusal.js";

/** Node turns a longer delay into 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Globals `setTimeout`, `setInterval`, `clearTimeout`, `clearInterval`.
 * Delays are in milliseconds, raised to `minimumMs`; at most `count` timers live at once (`ERR_PERMISSION_LIMIT`).
 * Callbacks are functions, called without `this`; what one throws is uncaught, and so the plugin's crash. Handles are numbers:
 * Node's Timeout objects would lead back to its timer lists.
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

  const start = (name: "setTimeout" | "setInterval", callback: unknown, delay: unknown, args: unknown[]): number => {
    if (typeof callback !== "function") {
      throw wrongArgument(`${name}: the callback must be a function, not ${kindOf(callback)}`);
    }
    const ms = delayOf(name, delay);
    if (live.size >= limits.count) {
      throw overLimit(`${name}: ${live.size} timers are set, and the grant allows ${limits.count}; clear some first`);
    }
    last += 1;
    const handle = last;
    const run = (): void => {
      if (name === "setTimeout") live.delete(handle);
      Reflect.apply(callback, undefined, args);
    };
    if (name === "setTimeout") {
      const timer = setTimeout(run, ms);
      live.set(handle, () => clearTimeout(timer));
    } else {
      const timer = setInterval(run, ms);
      live.set(handle, () => clearInterval(timer));
    }
    return handle;
  };

  const clear = (handle: unknown): void => {
    if (typeof handle !== "number") return;
    live.get(handle)?.();
    live.delete(handle);
  };

  return {
    globals: {
      setTimeout: (callback: unknown, delay?: unknown, ...args: unknown[]): number =>
        start("setTimeout", callback, delay, args),
      setInterval: (callback: unknown, delay?: unknown, ...args: unknown[]): number =>
        start("setInterval", callback, delay, args),
      clearTimeout: (handle?: unknown): void => clear(handle),
      clearInterval: (handle?: unknown): void => clear(handle),
    },
    stop() {
      for (const cancel of live.values()) cancel();
      live.clear();
    },
  };
}
