/**
 * One call in flight. Reply, deadline, the caller's signal or the worker's end answers the caller; the outcome is written, or
 * rolled back (README.md here, "Outcome").
 */

import { monotonicNow } from "../../common/clock.js";
import { beginWork, endWork, type Step } from "../../common/tracing.js";
import type { Json } from "../../driverapi/json.js";
import type { CallEnd } from "../../session/calls-in-flight.js";
import type { CallOutcome, SessionEnd } from "../../session/outcome.js";
import type { Written } from "../../storage/journal/journal.js";
import { whenAborted } from "../abort-signals.js";
import { type CallContext, siteOf } from "./call-context.js";
import { type Caller, deadlinePassed } from "./caller.js";
import { deadline, type Late } from "./deadlines.js";
import * as errors from "./errors.js";
import type { LiveDriver } from "./host-call.js";
import type { InDoubtCall, InDoubtCalls } from "./in-doubt-calls.js";
import type { InFlightCount } from "./in-flight.js";
import type { Operation } from "./operation.js";
import { inTime, writeOutcome } from "./outcome-writes.js";

/** What all exchanges with one driver have in common. */
export interface ExchangeParts {
  readonly context: CallContext;
  readonly inDoubt: InDoubtCalls;
  readonly inFlight: InFlightCount;
  /** Repeats the call in the driver's next worker, until the caller's deadline. */
  repeat<T>(op: Operation<T>, caller: Caller<T>): void;
}

export class Exchange<T> implements CallEnd, Late {
  readonly #parts: ExchangeParts;
  readonly #op: Operation<T>;
  readonly #live: LiveDriver;
  readonly #caller: Caller<T>;
  #id = 0;
  /** The caller has been answered, or is about to be. */
  #callerAnswered = false;
  /** True while the outcome is being written; the caller is answered after that, or at its deadline. */
  #writing = false;
  #isLate = false;
  /** Stops listening to the caller's signal. */
  #unlisten: (() => void) | undefined;
  #unsettled: NodeJS.Timeout | undefined;
  /** The span of its stay in the worker. */
  #step: Step | undefined;

  constructor(parts: ExchangeParts, op: Operation<T>, live: LiveDriver, caller: Caller<T>) {
    this.#parts = parts;
    this.#op = op;
    this.#live = live;
    this.#caller = caller;
  }

  /** Sends the call. Its caller is answered in every case. */
  send(): void {
    const caller = this.#caller;
    const { expires, signal } = caller;
    const { session, index } = this.#live;
    caller.deadline = deadline(expires, caller.ms, this);
    if (signal) this.#unlisten = whenAborted(signal, () => this.#giveUp(true));
    this.#parts.inFlight.add();
    this.#step = beginWork(caller.step, this.#parts.context.plugin, this.#op.method);
    this.#id = session.call(this.#op.method, index, caller.args(), expires, this);
  }

  /** Handles the outcome; if the caller was already answered, settles the record alone. */
  settle(outcome: CallOutcome): void {
    endWork(this.#step, this.#parts.context.plugin, outcome.how === "value" ? undefined : outcome.how);
    if (this.#callerAnswered) {
      clearTimeout(this.#unsettled);
      const { inDoubt, inFlight } = this.#parts;
      void inDoubt.settle(this.#open(), outcome, this.#live).finally(() => inFlight.done());
      return;
    }
    this.#callerAnswered = true;
    this.#unlisten?.();
    switch (outcome.how) {
      case "value":
        this.#answered(outcome.value);
        return;
      case "error": {
        const { error } = outcome;
        // Only deletes and leaves can be lost, and those return nothing.
        if (this.#op.notRestored?.() && errors.isNotFound(error)) this.#accept(undefined as T);
        else this.#refuse(() => errors.driverThrew(error, this.#site()));
        return;
      }
      case "dropped":
        this.#refuse(() => errors.busy(this.#site(), "another call held the worker"));
        return;
      case "ended":
        this.#ended(outcome.end, outcome.started);
        return;
    }
  }

  /** Called at the deadline: what is under way continues without the caller. */
  late(): void {
    this.#isLate = true;
    if (!this.#callerAnswered) this.#giveUp(false);
    else if (this.#writing) this.#unwritten();
  }

  /** Answers the caller at its deadline or abort. The driver's call continues. */
  #giveUp(byCaller: boolean): void {
    if (this.#callerAnswered) return;
    this.#callerAnswered = true;
    this.#unlisten?.();
    const { session } = this.#live;
    const caller = this.#caller;
    const { ms } = caller;
    const id = this.#id;
    this.#unsettled = setTimeout(() => session.unsettled(id, ms), ms);
    const { started, blocked } = session.giveUp(id);
    if (byCaller) caller.reject(errors.aborted(this.#site(), caller.signal));
    else caller.reject(deadlinePassed(this.#parts.context, this.#op, ms, started, blocked));
  }

  #answered(value: Json): void {
    const ready = this.#op.ready?.();
    if (!ready) {
      this.#read(value);
      return;
    }
    const { expires, ms } = this.#caller;
    inTime(ready, expires, () => new Error(`not within ${ms} ms`)).then(
      () => this.#read(value),
      (error: unknown) => this.#rollBack(error, "host"),
    );
  }

  #read(value: Json): void {
    let result: T;
    try {
      result = this.#op.read(value);
    } catch (error) {
      this.#rollBack(error);
      return;
    }
    this.#accept(result);
  }

  /** Resolves the call once the journal has recorded that the driver carried it out. */
  #accept(result: T): void {
    const caller = this.#caller;
    const written = this.#write(() => this.#op.accept(result));
    if (written) this.#inTime(written, () => caller.resolve(result));
    else caller.resolve(result);
  }

  /** Rejects the call once the journal has recorded that the driver did not carry it out. */
  #refuse(why: () => Error): void {
    const written = this.#write(() => this.#op.refuse());
    if (written) this.#inTime(written, () => this.#caller.reject(why()));
    else this.#caller.reject(why());
  }

  /** Writes the outcome, and then frees the call's ids. */
  #write(write: () => Written): Written {
    return writeOutcome(this.#parts.context, this.#op, write, () => {
      this.#caller.release();
      this.#parts.inFlight.done();
    });
  }

  /** Answers the caller once the outcome is written: a disk that hangs does not delay it beyond its deadline. */
  #inTime(written: Promise<void>, answer: () => void): void {
    this.#writing = true;
    const once = (then: () => void): void => {
      if (!this.#writing) return;
      this.#writing = false;
      then();
    };
    written.then(
      () => once(answer),
      (error) => once(() => this.#caller.reject(error)),
    );
    if (this.#isLate) this.#unwritten();
  }

  #unwritten(): void {
    this.#writing = false;
    this.#caller.reject(errors.notJournalled(this.#caller.ms, this.#site()));
  }

  /** Handles the worker's end: repeats a read that another plugin may have ended, else defers the call as in doubt and rejects it. */
  #ended(end: SessionEnd, started: boolean): void {
    const { context, inDoubt, inFlight, repeat } = this.#parts;
    const op = this.#op;
    const caller = this.#caller;
    const { expires } = caller;
    if (op.reads && end.innocent === true && !context.closed() && monotonicNow() < expires) {
      inFlight.done();
      caller.deadline?.met();
      repeat(op, caller);
      return;
    }
    inDoubt.defer(this.#open());
    inFlight.done();
    const site = this.#site();
    if (context.closed()) caller.reject(errors.hostClosed(site));
    // The worker was terminated for this deadline, just before its timer fired.
    else if (monotonicNow() >= expires)
      caller.reject(deadlinePassed(context, op, context.timeout(op.method), started, true));
    else
      caller.reject(
        started
          ? errors.outcomeUnknown(site, end.reason)
          : errors.busy(site, `another call held the worker (${end.reason})`),
      );
  }

  /**
   * Rolls back, as libnetwork does, a call whose reply was refused or could not be checked. The caller waits until its deadline
   * at most; the ids stay locked until the rollback is done.
   */
  #rollBack(cause: unknown, blamed: "driver" | "host" = "driver"): void {
    const { context, inDoubt, inFlight } = this.#parts;
    const { inverse } = this.#op;
    let refused = false;
    const refuse = (rollback: string): void => {
      if (refused) return;
      refused = true;
      const site = this.#site();
      const error =
        blamed === "host" ? errors.hostUnreadable(cause, rollback, site) : errors.badReply(cause, rollback, site);
      if (blamed === "driver") context.reports.replyRefused(error);
      this.#caller.reject(error);
    };
    if (!inverse) {
      void inDoubt.refuse(this.#open()).then(() => {
        inFlight.done();
        refuse("");
      });
      return;
    }
    const goOn = (): void => refuse(`; failed to roll back: ${inverse} was not answered in time; the host goes on`);
    const timer = setTimeout(goOn, Math.max(0, this.#caller.expires - monotonicNow()));
    void inDoubt.undo(this.#open(), this.#live).then((failure) => {
      clearTimeout(timer);
      inFlight.done();
      refuse(failure === undefined ? "; rolled back" : `; failed to roll back: ${failure}`);
    });
  }

  /** Returns the call in the form that `InDoubtCalls` takes. */
  #open(): InDoubtCall {
    return { op: this.#op, release: this.#caller.release, attempts: 0 };
  }

  #site(): errors.CallSite {
    return siteOf(this.#parts.context, this.#op.method);
  }
}
