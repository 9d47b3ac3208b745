/** The message for a plugin that has not started by its deadline: three faults that look alike from outside. */
import { SESSION } from "./limits.js";

/** How long before the deadline a worker is pinged, so that it is known then whether its loop turns. */
export const PING_AHEAD: number = 4 * SESSION.probeMs;

/** Returns the message. `evaluating`: the bundle's own code still runs. `turning`: the worker's loop has answered a ping. */
export function overdueWords(ms: number, seen: { readonly evaluating: boolean; readonly turning: boolean }): string {
  if (seen.evaluating)
    return `its code was still being evaluated after ${ms} ms; look for a loop outside init() that does not end`;
  return seen.turning
    ? `init did not return within ${ms} ms, and waits; look for an await in it whose promise never settles`
    : `init did not return within ${ms} ms, and blocks its worker; look for a loop in it that does not end`;
}
