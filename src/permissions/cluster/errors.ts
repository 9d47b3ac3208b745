/** The errors of `cluster`: refusals name a rule, failures changed nothing, and an unknown outcome is neither. */
import { DriverError } from "../../driverapi/errors.js";

/** Returns `ERR_CLUSTER_REFUSED`. `why` includes the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_CLUSTER_REFUSED", `cluster.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** Returns `ERR_CLUSTER_FAILED`: nothing was changed. */
export function failed(plugin: string, op: string, words: string, cause?: unknown): DriverError {
  return new DriverError("ERR_CLUSTER_FAILED", `cluster.${op} failed, and changed nothing: ${words}`, {
    plugin,
    cause,
  });
}

/** Returns `ERR_CLUSTER_UNKNOWN`: the write may have happened, or may happen yet. */
export function unknownOutcome(plugin: string, op: string, words: string, cause?: unknown): DriverError {
  const advice = "it may have happened; read the key, and repeat it with the revision read";
  return new DriverError("ERR_CLUSTER_UNKNOWN", `cluster.${op} has an unknown outcome: ${words}; ${advice}`, {
    plugin,
    cause,
  });
}
