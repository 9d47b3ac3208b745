/** The errors of `netlink`: refusals name a rule, failures carry the kernel's words and their common reason. */
import { DriverError } from "../../driverapi/errors.js";

/** Returns `ERR_NETLINK_REFUSED`. `why` includes the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_NETLINK_REFUSED", `netlink.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** Returns `ERR_NETLINK_FAILED`. `words`: the kernel's. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  const reason = reasonOf(words);
  const known = reason === undefined || words.includes(reason) ? words : `${words} (${reason})`;
  return new DriverError("ERR_NETLINK_FAILED", `netlink.${op} failed: ${known}`, { plugin, cause });
}

/** Newer kernels replace the classic messages by more specific ones; callers look for the classic. */
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

/** Returns the classic message for a failure, whichever kernel reports it; undefined for an uncommon one. */
export function reasonOf(words: string): string | undefined {
  return REASONS.find(([pattern]) => pattern.test(words))?.[1];
}
