/**
 * One call on its way: sent to the worker that serves, answered by the reply, by the deadline, by the caller's signal or by the
 * worker's end; its outcome written, or rolled back (BEHAVIOUR "Existence, order, outcome").
 */
import type { DriverError } from "../../driverapi/errors.js";
import { monotonicNow } from "../../protocol/clock.js";
import type { CallOutcome } from "../plugin/outcome.js";
import type { Aftermath } from "./aftermath.js";
import type { Served } from "./ask.js";
import { type Caller, type Conditions, late, siteOf } from "./conditions.js";
import { deadline } from "./deadlines.js";
import * as errors from "./errors.js";
import type { Flights } from "./flights.js";
import type { Release } from "./locks.js";
import type { Operation, Written } from "./operation.js";
import { inTime, writeOutcome } from "./outcome-writes.js";

export interface ExchangeParts {
  readonly aftermath: Aftermath;
  readonly flights: Flights;
  /** Asks the driver's next worker, within the caller's time. */
  again<T>(op: Operation<T>, caller: Caller<T>): void;
}

export class Exchange {
  readonly #conditions: Conditions;
  readonly #aftermath: Aftermath;
  readonly #flights: Flights;
  readonly #again: ExchangeParts["again"];

  constructor(conditions: Conditions, { aftermath, flights, again }: ExchangeParts) {
    this.#conditions = conditions;
    this.#aftermath = aftermath;
    this.#flights = flights;
    this.#again = again;
  }

  /** Sends the call and answers its caller: by the reply, by the deadline, by the caller's signal, or by the worker's end. */
  send<T>(op: Operation<T>, served: Served, caller: Caller<T>): void {
    const { session, index } = served;
    const { expires, ms, signal, release } = caller;
    let told = false;
    let unsettled: NodeJS.Timeout | undefined;
    const giveUp = (byCaller: boolean): void => {
      if (told) return;
      told = true;
      quiet();
      unsettled = setTimeout(() => session.unsettled(id, ms), ms);
      const { started, blocked } = session.giveUp(id);
      if (byCaller) caller.reject(errors.aborted(siteOf(this.#conditions, op.method)));
      else caller.reject(late(this.#conditions, op, ms, started, blocked));
    };
    const onAbort = (): void => giveUp(true);
    const quiet = (): void => {
      timer.met();
      signal?.removeEventListener("abort", onAbort);
    };
    const timer = deadline(expires, ms, () => giveUp(false));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#flights.began();
    const id = session.call(op.method, [String(index), ...op.args()], expires, (outcome) => {
      clearTimeout(unsettled);
      if (told) {
        void this.#aftermath
          .settle({ op, release, attempts: 0 }, outcome, served)
          .finally(() => this.#flights.landed());
        return;
      }
      told = true;
      quiet();
      this.#settle(op, outcome, caller, served);
    });
  }

  /** The caller still waits. */
  #settle<T>(op: Operation<T>, outcome: CallOutcome, caller: Caller<T>, served: Served): void {
    const { expires, release, resolve, reject } = caller;
    const site = siteOf(this.#conditions, op.method);
    const finish = (write: () => Written, answer: () => void): void => {
      const written = writeOutcome(this.#conditions, op, write, () => {
        release();
        this.#flights.landed();
      });
      if (written) inTime(this.#conditions, op, written, expires).then(answer, reject);
      else answer();
    };
    switch (outcome.how) {
      case "value": {
        let result: T;
        try {
          result = op.read(outcome.value);
        } catch (error) {
          this.#rollBack(op, error, expires, release, served, reject);
          return;
        }
        finish(
          () => op.accept(result),
          () => resolve(result),
        );
        return;
      }
      case "error":
        // Only deletes and leaves can be lost, and those give nothing.
        if (op.lost?.() && errors.isNotFound(outcome.error))
          finish(
            () => op.accept(undefined as T),
            () => resolve(undefined as T),
          );
        else
          finish(
            () => op.refuse(),
            () => reject(errors.driverThrew(outcome.error, site)),
          );
        return;
      case "dropped":
        finish(
          () => op.refuse(),
          () => reject(errors.busy(site, "another call held the worker")),
        );
        return;
      case "ended": {
        const why = outcome.end.reason;
        if (op.reads && outcome.end.innocent === true && !this.#conditions.closed() && monotonicNow() < expires) {
          this.#flights.landed();
          this.#again(op, caller);
          return;
        }
        this.#aftermath.leave({ op, release, attempts: 0 });
        this.#flights.landed();
        if (this.#conditions.closed()) reject(errors.hostClosed(site));
        // The worker was ended over this very deadline, a moment before its timer.
        else if (monotonicNow() >= expires) {
          reject(late(this.#conditions, op, this.#conditions.timeout(op.method), outcome.started, true));
        } else
          reject(
            outcome.started
              ? errors.outcomeUnknown(site, why)
              : errors.busy(site, `another call held the worker (${why})`),
          );
        return;
      }
    }
  }

  /**
   * The reply was refused: libnetwork's rollback, in libnetwork's words. The caller waits for it until its own deadline;
   * the ids stay locked until it is done.
   */
  #rollBack(
    op: Operation<unknown>,
    cause: unknown,
    expires: number,
    release: Release,
    served: Served,
    reject: (error: DriverError) => void,
  ): void {
    let refused = false;
    const refuse = (rollback: string): void => {
      if (refused) return;
      refused = true;
      const error = errors.badReply(cause, rollback, siteOf(this.#conditions, op.method));
      this.#conditions.reports.replyRefused(error);
      reject(error);
    };
    const call = { op, release, attempts: 0 };
    if (!op.inverse) {
      void this.#aftermath.refuse(call).then(() => {
        this.#flights.landed();
        refuse("");
      });
      return;
    }
    const goOn = (): void => refuse(`; failed to roll back: ${op.inverse} was not answered in time; the host goes on`);
    const timer = setTimeout(goOn, Math.max(0, expires - monotonicNow()));
    void this.#aftermath.undo(call, served).then((failure) => {
      clearTimeout(timer);
      this.#flights.landed();
      refuse(failure === undefined ? "; rolled back" : `; failed to roll back: ${failure}`);
    });
  }
}
