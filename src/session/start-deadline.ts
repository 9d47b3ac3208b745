/** The deadline of a plugin's evaluation and `init`, extended by the time the host itself was at work or stalled. */

import { monotonicNow } from "../common/clock.js";
import { SESSION } from "./limits.js";

/** A timer that fires less than this late, in milliseconds, was not held up. */
export const PUNCTUAL = 10;

/** How long before the deadline a worker is pinged, so that it is known then whether its loop turns. */
const PING_AHEAD: number = 4 * SESSION.probeMs;

export interface StartDeadlineOptions {
  readonly ms: number;
  /** Returns how long the host has been at work for the worker, in milliseconds. */
  workedMs(): number;
  ping(): void;
  /** Called when the deadline has passed. */
  late(): void;
}

/** Starts the deadline. Returns a function that cancels it. */
export function startDeadline({ ms, workedMs, ping, late }: StartDeadlineOptions): () => void {
  let timer: NodeJS.Timeout;
  let respite = ms;
  let madeGood = 0;
  const arm = (left: number): void => {
    const due = monotonicNow() + left;
    timer = setTimeout(() => {
      const owed = Math.min(workedMs(), SESSION.hostWorkMs) - madeGood;
      if (owed > PUNCTUAL) {
        madeGood += owed;
        arm(owed);
        return;
      }
      // While the platform was stalled, so were the answers that init waits for: init gets that much time again.
      const stalled = monotonicNow() - due;
      const more = stalled < PUNCTUAL ? 0 : Math.min(Math.max(stalled, SESSION.probeMs), respite);
      respite -= more;
      if (more > 0) arm(more);
      else late();
    }, left);
  };
  arm(ms);
  const pinging = setTimeout(ping, Math.max(0, ms - PING_AHEAD));
  return () => {
    clearTimeout(timer);
    clearTimeout(pinging);
  };
}

/** Returns the error's message. `evaluating`: the bundle's own code still runs. `turning`: the worker's loop has answered a ping. */
export function startTimedOut(ms: number, seen: { readonly evaluating: boolean; readonly turning: boolean }): string {
  if (seen.evaluating)
    return `its code was still being evaluated after ${ms} ms; look for a loop outside init() that does not end`;
  return seen.turning
    ? `init did not return within ${ms} ms and is still waiting; look for an await on a promise that never settles`
    : `init did not return within ${ms} ms, and blocks its worker; look for a loop in it that does not end`;
}
