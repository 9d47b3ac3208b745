/** Makes calls for the host itself, to configure, restore or undo. */
import { monotonicNow } from "../../common/clock.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { CallOutcome } from "../../session/outcome.js";
import type { Session } from "../../session/session.js";

/** A driver in a worker: the session, and the driver's index in it. */
export interface LiveDriver {
  readonly session: Session;
  readonly index: number;
  /** True when the driver has `programExternalConnectivity` and `revokeExternalConnectivity`. */
  readonly external: boolean;
}

/**
 * Calls a driver's method with `args`, as JSON texts. After `ms` of the driver's own time its signal fires, and with `until`
 * `"deadline"` the promise resolves as `dropped`; a call that has not settled after another `ms` ends the worker.
 */
export function callDriver(
  { session, index }: LiveDriver,
  method: WorkerMethod,
  args: readonly string[],
  ms: number,
  until: "deadline" | "outcome",
): Promise<CallOutcome> {
  return new Promise((resolve) => {
    let unsettled: NodeJS.Timeout | undefined;
    const due = (): void => {
      const owed = session.makeGood(id);
      if (owed > 0) {
        timer = setTimeout(due, owed);
        return;
      }
      session.giveUp(id);
      unsettled = setTimeout(() => session.unsettled(id, ms), ms);
      if (until === "deadline") resolve({ how: "dropped" });
    };
    let timer = setTimeout(due, ms);
    const id = session.call(method, index, args, monotonicNow() + ms, {
      settle(outcome) {
        clearTimeout(timer);
        clearTimeout(unsettled);
        resolve(outcome);
      },
    });
  });
}
