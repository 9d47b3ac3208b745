/** The journal's writes around a call: they hold its ids, and hold nobody up beyond the caller's deadline. */
import { monotonicNow } from "../../protocol/clock.js";
import { type Conditions, siteOf } from "./conditions.js";
import * as errors from "./errors.js";
import type { Operation, Written } from "./operation.js";

/**
 * Writes an outcome. `over`: at once where the journal answers at once, else when it has; the ids stay locked until then,
 * whoever has been answered meanwhile. What the journal refuses is logged, and told to who waits for it.
 */
export function writeOutcome(
  { plugin, type, logger }: Conditions,
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
    logger.error({ plugin, driver: type, nid: op.nid, eid: op.eid, err: error }, "the journal refused a write");
    over();
  });
  return written;
}

/** A disk that hangs is no reason to answer late. */
export function writtenInTime(
  conditions: Conditions,
  op: Operation<unknown>,
  written: Promise<void>,
  expires: number,
): Promise<void> {
  return inTime(written, expires, () =>
    errors.notJournalled(conditions.timeout(op.method), siteOf(conditions, op.method)),
  );
}

/** Waits for what the host does itself, no longer than the caller may wait. */
export function inTime(done: Promise<void>, expires: number, tooLate: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate()), Math.max(0, expires - monotonicNow()));
    done.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
