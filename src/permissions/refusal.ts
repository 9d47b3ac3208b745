/**
 * Errors that powers throw into a plugin: new objects, so that no native error and nothing of the host's reaches it. They are not
 * `DriverError`s, since inside a worker only name, message and code matter.
 */
import type { ErrorCode } from "../driverapi/errors.js";

/** An error with a code of `driverapi/errors.ts`. */
export type Refusal = Error & { readonly code: ErrorCode };

/** Returns `ERR_PERMISSION_ARGUMENT` as a TypeError. */
export function wrongArgument(message: string): Refusal {
  return Object.assign(new TypeError(message), { code: "ERR_PERMISSION_ARGUMENT" as const });
}

/** Returns `ERR_PERMISSION_LIMIT` as a RangeError. */
export function overLimit(message: string): Refusal {
  return Object.assign(new RangeError(message), { code: "ERR_PERMISSION_LIMIT" as const });
}

/** Names the type of a value for a message, without reading the value. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * Returns the text of a primitive, as `String(value)` does; no method of an object is called.
 * Throws `ERR_PERMISSION_ARGUMENT` for objects, functions and symbols, `ERR_PERMISSION_LIMIT` over `max` UTF-16 units.
 */
export function textOf(value: unknown, what: string, max: number): string {
  if (typeof value === "symbol" || typeof value === "function" || (typeof value === "object" && value !== null)) {
    throw wrongArgument(`${what} must be a string, not ${kindOf(value)}`);
  }
  const text = String(value);
  if (text.length > max) throw overLimit(`${what} has ${text.length} characters; at most ${max} are taken`);
  return text;
}
