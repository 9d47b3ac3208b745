/** How a driver fails a call: with one of the contract's codes, or with one of libnetwork's kinds of error. */
import type { ERROR_CODES, ErrorCode } from "./error-codes.js";
import type { ErrorKind } from "./errors.js";

/** A code that a driver may throw itself; any other one becomes `ERR_DRIVER_FAILED`. */
export type DriverErrorCode = {
  [Code in ErrorCode]: (typeof ERROR_CODES)[Code] extends { readonly driver: true } ? Code : never;
}[ErrorCode];

/** Throws an error that reaches the platform with this message and this code or kind. */
export function fail(why: DriverErrorCode | ErrorKind, message: string): never {
  throw Object.assign(new Error(message), why.startsWith("ERR_") ? { code: why } : { kind: why });
}
