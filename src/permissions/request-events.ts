/** In the worker: requests that wait for events. One that the host refuses for a limit is repeated, since the limit passes. */
import { setTimeout as pause } from "node:timers/promises";
import type { Json } from "../driverapi/json.js";
import { EVENTS } from "./limits.js";
import type { HostPort } from "./permission.js";

/**
 * Sends a request until it is answered, or refused for another reason than a limit: then it rejects. `args` is called for each attempt;
 * once it returns undefined, the result is undefined.
 */
export async function requestEvents(
  port: HostPort,
  method: string,
  args: () => readonly Json[] | undefined,
): Promise<Json | undefined> {
  for (let ms: number = EVENTS.pauseMs; ; ms = Math.min(2 * ms, EVENTS.pauseMaxMs)) {
    const given = args();
    if (given === undefined) return undefined;
    try {
      return await port.request(method, given);
    } catch (error) {
      if ((error as { readonly code?: unknown } | null)?.code !== "ERR_PERMISSION_LIMIT") throw error;
      await pause(ms);
    }
  }
}
