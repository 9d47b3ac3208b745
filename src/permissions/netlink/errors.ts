/** The errors of `netlink`: refusals name a rule, failures carry the kernel's words and what they come down to. */
import { DriverError } from "../../driverapi/errors.js";

/** `ERR_NETLINK_REFUSED`: which call, by which rule, why. `why` holds the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_NETLINK_REFUSED", `netlink.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** `ERR_NETLINK_FAILED`: what the kernel said. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  const reason = reasonOf(words);
  const known = reason === undefined || words.includes(reason) ? words : `${words} (${reason})`;
  return new DriverError("ERR_NETLINK_FAILED", `netlink.${op} failed: ${known}`, { plugin, cause });
}

/** Newer kernels explain a failure in words of their own instead of the classical ones; callers look for the classical. */
const REASONS: ReadonlyArray<readonly [words: RegExp, reason: string]> = [
  [/file exists|already assigned|already exists/i, "File exists"],
  [/cannot find device|device does not exist|no such device/i, "Cannot find device"],
  [/cannot assign requested address|address not found/i, "Cannot assign requested address"],
  [/no such process/i, "No such process"],
  [/network is down|nexthop (is|device is) not up/i, "Network is down"],
  [/invalid gateway|no route to host|network is unreachable/i, "Network is unreachable"],
  [/address already in use/i, "Address already in use"],
  [/resource busy/i, "Device or resource busy"],
];

/** What a failure comes down to, whichever kernel worded it; undefined for one that is not common. */
export function reasonOf(words: string): string | undefined {
  return REASONS.find(([pattern]) => pattern.test(words))?.[1];
}
