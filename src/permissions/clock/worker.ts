/** `clock`, in the worker: a Date that tells the time, coarsely. SES's own has none. */
import type { ClockLimits } from "../catalogue.js";
import type { Endowment, HostPort } from "../permission.js";

/** The realm's Date, which knows the time; it never leaves this file. */
const RealmDate = Date;

/**
 * Global `Date`: `Date.now()`, `new Date()` and `Date()` give the time floored to `resolutionMs`; all else is the realm's, and
 * `Date.prototype` is the realm's frozen one, so `instanceof` holds for every date. There is no `performance`.
 */
export function endow(limits: ClockLimits, _port?: HostPort): Endowment {
  const resolution = Math.max(1, Math.trunc(limits.resolutionMs));
  const now = (): number => Math.floor(RealmDate.now() / resolution) * resolution;

  // A function and not a class: `Date()` without `new` is a call, and gives a string.
  function CoarseDate(...args: unknown[]): unknown {
    if (new.target === undefined) return new RealmDate(now()).toString();
    return Reflect.construct(RealmDate, args.length === 0 ? [now()] : args, new.target);
  }
  Object.defineProperties(CoarseDate, {
    name: { value: "Date" },
    length: { value: 7 },
    prototype: { value: RealmDate.prototype, writable: false },
    now: { value: now },
    parse: { value: RealmDate.parse },
    UTC: { value: RealmDate.UTC },
  });
  return { globals: { Date: CoarseDate } };
}
