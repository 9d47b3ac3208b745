/** A call of the host's own: configuring, restoring, undoing. No platform caller waits for it. */
import { monotonicNow } from "../../protocol/clock.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { CallOutcome } from "../plugin/outcome.js";
import type { Session } from "../plugin/session.js";

/** Whom calls go to: a session, and the driver's index in it. */
export interface Served {
  readonly session: Session;
  readonly index: number;
  /** It has `programExternalConnectivity` and `revokeExternalConnectivity`. */
  readonly external: boolean;
}

/**
 * Calls a driver's method; `args` after the index, as JSON texts. After `ms` of the driver's own time its signal fires. Then `until` says:
 * `"deadline"`: resolve as `dropped`, whatever comes later; `"outcome"`: wait on, and end the worker after another `ms`.
 */
export function ask(
  { session, index }: Served,
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
