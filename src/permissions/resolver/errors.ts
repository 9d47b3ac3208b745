/** The errors of `resolver`: refusals name a rule, failures carry the system's words. */
import { DriverError } from "../../driverapi/errors.js";

/** Returns `ERR_RESOLVER_REFUSED`. `why` includes the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_RESOLVER_REFUSED", `resolver.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** Returns `ERR_RESOLVER_FAILED`. `words`: those of the system. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  return new DriverError("ERR_RESOLVER_FAILED", `resolver.${op} failed: ${words}`, { plugin, cause });
}
