/** `clock`, in the worker: a Date with a coarse current time, which SES's Date does not have. */
import type { ClockLimits } from "../catalogue.js";
import type { Endowment, HostPort } from "../permission.js";

/** The realm's Date, which has the exact time and must not leave this file. */
const RealmDate = Date;

/** Monotonic milliseconds since the realm began. */
const elapsed = performance.now.bind(performance);

/**
 * Global `Date`: `Date.now()`, `new Date()` and `Date()` return the time floored to `resolutionMs`. Its prototype inherits from the
 * realm's frozen one, so that `new Date().constructor` is this `Date`; `instanceof` holds for every date of the realm.
 * Global `performance`: `now()`, floored likewise, since the plugin's start, and `timeOrigin`.
 */
export function endow(limits: ClockLimits, _port?: HostPort): Endowment {
  const resolution = Math.max(1, Math.trunc(limits.resolutionMs));
  const floored = (time: number): number => Math.floor(time / resolution) * resolution;
  const now = (): number => floored(RealmDate.now());

  // A function and not a class: `Date()` without `new` returns a string.
  function CoarseDate(...args: unknown[]): unknown {
    if (new.target === undefined) return new RealmDate(now()).toString();
    return Reflect.construct(RealmDate, args.length === 0 ? [now()] : args, new.target);
  }
  const prototype: object = Object.create(RealmDate.prototype);
  overridable(prototype, "constructor", CoarseDate);
  const isDate = {
    [Symbol.hasInstance](this: unknown, value: unknown): boolean {
      return isBelow(value, this === CoarseDate ? RealmDate.prototype : Reflect.get(Object(this), "prototype"));
    },
  };
  Object.defineProperties(CoarseDate, {
    name: { value: "Date" },
    length: { value: 7 },
    prototype: { value: prototype, writable: false },
    now: { value: now },
    parse: { value: RealmDate.parse },
    UTC: { value: RealmDate.UTC },
    [Symbol.hasInstance]: { value: isDate[Symbol.hasInstance] },
  });
  return { globals: { Date: CoarseDate, performance: timerOf(now, resolution) } };
}

/** Difference between system clock and monotonic clock above which the system clock counts as changed, in milliseconds. */
const SET_MS = 1_000;

/**
 * Returns global `performance`. It ticks together with Date: two clocks with different phases would reveal the time more finely. It
 * does not follow changes of the system clock.
 */
function timerOf(now: () => number, resolution: number): { readonly now: () => number; readonly timeOrigin: number } {
  const timeOrigin = now();
  const begun = elapsed();
  let set = 0;
  let last = 0;
  return {
    timeOrigin,
    now: (): number => {
      const passed = now() - timeOrigin - set;
      const off = passed - (elapsed() - begun);
      // A multiple of the resolution, so that it still ticks together with Date.
      if (Math.abs(off) > SET_MS + 2 * resolution) set += Math.round(off / resolution) * resolution;
      last = Math.max(last, now() - timeOrigin - set);
      return last;
    },
  };
}

function isBelow(value: unknown, prototype: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  for (let at = Reflect.getPrototypeOf(value); at !== null; at = Reflect.getPrototypeOf(at))
    if (at === prototype) return true;
  return false;
}

/** Defines a property that inheriting objects can override although its object is frozen, as SES's prototypes do. */
function overridable(object: object, key: string, value: unknown): void {
  const access = {
    get(): unknown {
      return value;
    },
    set(this: object, replaced: unknown): void {
      if (this === object) throw new TypeError(`Cannot assign to read only property '${key}'`);
      if (Object.hasOwn(this, key)) Reflect.set(this, key, replaced);
      else Object.defineProperty(this, key, { value: replaced, writable: true, enumerable: true, configurable: true });
    },
  };
  Object.defineProperty(object, key, { ...access, enumerable: false, configurable: false });
}
