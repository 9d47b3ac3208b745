/** Journal writes around a call: they keep its ids locked, but delay the caller no longer than its deadline. */
import { monotonicNow } from "../../common/clock.js";
import type { Written } from "../../storage/journal/journal.js";
import { type CallContext, siteOf } from "./call-context.js";
import * as errors from "./errors.js";
import type { Operation } from "./operation.js";

/** Logged when the journal refuses an outcome. */
export const OUTCOME_LOST = "the outcome of a call could not be journalled; check the disk of the data folder";

/**
 * Writes an outcome. Calls `over` when the journal has settled the write, at once if it is synchronous; until then the ids stay
 * locked. A refused write is logged, and the returned promise rejects.
 */
export function writeOutcome(
  { plugin, type, logger }: CallContext,
  op: Operation<unknown>,
  write: () => Written,
  over: () => void,
): Written {
  let written: Written;
  try {
    written = write();
  } catch (error) {
    written = Promise.reject(error);
  }
  if (!written) {
    over();
    return;
  }
  written.then(over, (error) => {
    logger.error({ plugin, driver: type, nid: op.nid, eid: op.eid, err: error }, OUTCOME_LOST);
    over();
  });
  return written;
}

/** Waits for a write, no longer than the deadline: a disk that hangs does not delay the reply further. */
export function writtenInTime(
  context: CallContext,
  op: Operation<unknown>,
  written: Promise<void>,
  expires: number,
): Promise<void> {
  return inTime(written, expires, () => errors.notJournalled(context.timeout(op.method), siteOf(context, op.method)));
}

/** Waits for the host's own work, no longer than the deadline. */
export function inTime(done: Promise<void>, expires: number, tooLate: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate()), Math.max(0, expires - monotonicNow()));
    done.then(
      () => {
        clearTimeout(timer);
        resolve();
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
