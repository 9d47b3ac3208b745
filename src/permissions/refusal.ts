/**
 * The errors powers throw into a plugin: made afresh, so that no native error and nothing of the host's travels along.
 * They are no `DriverError`: inside a worker only name, message and code mean anything, and the code is in the same table.
 */
import type { ErrorCode } from "../driverapi/errors.js";

/** An error with one of the table's codes. */
export type Refusal = Error & { readonly code: ErrorCode };

/** `ERR_PERMISSION_ARGUMENT` as a TypeError: what was wrong with an argument. */
export function wrongArgument(message: string): Refusal {
  return Object.assign(new TypeError(message), { code: "ERR_PERMISSION_ARGUMENT" as const });
}

/** `ERR_PERMISSION_LIMIT` as a RangeError: which limit is reached. */
export function overLimit(message: string): Refusal {
  return Object.assign(new RangeError(message), { code: "ERR_PERMISSION_LIMIT" as const });
}

/** What a value is, in a word, without touching it; for messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * The text of a primitive, as `String(value)` gives it; objects are never asked for theirs.
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
