/** Assertions of the contract's rules. */

import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../common/text.js";
import { DriverError, type ErrorKind } from "../driverapi/errors.js";

/** Throws unless `holds`. `what`: the message. */
export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new AssertionError({ message: what });
}

/** Throws unless both are the same data. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const message = `${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`;
  throw new AssertionError({ message, actual, expected });
}

/** Throws unless the call rejects with an error of `kind`. */
export async function expectKind(kind: ErrorKind, call: Promise<unknown>, what: string): Promise<void> {
  const error = await outcome(call);
  if (error === undefined) throw new AssertionError({ message: `${what} succeeds, and must reject with ${kind}` });
  if (error.kind === kind) return;
  const message = `${what} must reject with ${kind}, not ${told(error)}`;
  throw Object.assign(new AssertionError({ message, actual: error.kind, expected: kind }), {
    cause: error,
  });
}

/** Returns the `DriverError` that a call rejects with; undefined if it succeeds. Throws any other error. */
export async function outcome(call: Promise<unknown>): Promise<DriverError | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

/** Formats an error as `ERR_DRIVER_FAILED (Internal): message (file:line)`. */
export function told(error: unknown): string {
  if (!(error instanceof DriverError)) return messageOf(error);
  const where = error.file === undefined ? "" : ` (${error.file}:${error.line})`;
  return `${error.code} (${error.kind}): ${error.message}${where}`;
}
