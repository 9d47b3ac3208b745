/** What a call of the contract throws: always a DriverError. */
import { DriverError } from "#dist/driverapi/errors.js";

/** The DriverError that `call` throws; fails if it throws another, or none. */
export function refusal(call: () => unknown): DriverError {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
  throw new Error(`expected a DriverError, got ${JSON.stringify(value)}`);
}
