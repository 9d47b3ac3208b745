/** The errors of `traffic`: refusals name a rule, failures carry the words of tc. */
import { DriverError } from "../../driverapi/errors.js";

/** Returns `ERR_TRAFFIC_REFUSED`. `why` includes the value. */
export function refused(plugin: string | undefined, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_TRAFFIC_REFUSED", `traffic.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** Returns `ERR_TRAFFIC_FAILED`. `words`: those of tc or the kernel. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  return new DriverError("ERR_TRAFFIC_FAILED", `traffic.${op} failed: ${words}`, { plugin, cause });
}
