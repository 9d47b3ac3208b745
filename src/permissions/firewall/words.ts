/** The errors of `firewall`: refusals name a rule, failures carry nft's words. */
import { DriverError } from "../../driverapi/errors.js";

/** `ERR_FIREWALL_REFUSED`: which call, by which rule, why. `why` holds the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_FIREWALL_REFUSED", `firewall.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** `ERR_FIREWALL_FAILED`: what nft or the kernel said. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  return new DriverError("ERR_FIREWALL_FAILED", `firewall.${op} failed: ${words}`, { plugin, cause });
}
