/**
 * Conducts driver calls: lock, service, existence, intent, frame, reply, record. Every caller is answered by its own
 * deadline; what the driver does later is settled behind its back, under the same lock (BEHAVIOUR "Existence, order, outcome").
 */
import type { DriverError } from "../../driverapi/errors.js";
import type { DriverMethod } from "../../driverapi/types.js";
import { monotonicNow } from "../../protocol/clock.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { Journal } from "../journal/journal.js";
import type { Logger } from "../logger.js";
import type { CallOutcome } from "../plugin/outcome.js";
import type { CallReports } from "../plugin/reports.js";
import { Aftermath } from "./aftermath.js";
import type { Served } from "./ask.js";
import { deadline } from "./deadlines.js";
import * as errors from "./errors.js";
import { Gate } from "./gate.js";
import { NetworkLocks, type Release } from "./locks.js";
import type { Operation, Written } from "./operation.js";
import { waitFor } from "./waiting.js";

export interface Counters {
  calls: number;
  errors: number;
  timeouts: number;
  restarts: number;
  violations: number;
}

export interface ConductorOptions {
  readonly type: string;
  readonly plugin: string;
  readonly counters: Counters;
  readonly reports: CallReports;
  readonly logger: Logger;
  readonly closed: () => boolean;
  readonly journal: Pick<Journal, "commit">;
  timeout(method: DriverMethod): number;
}

/** Whoever waits for a call: until when, of how many milliseconds, by which signal; how to answer, and the ids it holds. */
interface Caller<T> {
  readonly expires: number;
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  release: Release;
}

const NOTHING: Release = () => {};

export class Conductor {
  readonly gate: Gate<Served> = new Gate<Served>();
  readonly #options: ConductorOptions;
  readonly #locks = new NetworkLocks();
  readonly #aftermath: Aftermath;
  #flying = 0;
  #intended: { readonly send: () => void; readonly failed: (error: unknown) => void }[] = [];
  #drained: Array<() => void> = [];

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#aftermath = new Aftermath(options, () => this.gate.opened);
  }

  /** Settles what earlier workers left open. */
  resume(served: Served): Promise<void> {
    return this.#aftermath.resume(served);
  }

  /** Takes up a call that an earlier host left open: it holds its ids, and is settled by the worker that serves next. */
  adopt(op: Operation<unknown>): void {
    const { nid = "", eid } = op;
    const held = (release: Release): void => this.#aftermath.leave({ op, release, attempts: 0 });
    const release = this.#locks.tryAcquire(nid, eid);
    if (release) held(release);
    else this.#locks.wait(nid, eid, held, () => {});
  }

  /** The host is closed: whoever waits, for the driver or for a lock, is told so. */
  shut(): void {
    this.gate.refuse(() => errors.hostClosed(this.#site("config")));
    this.#locks.refuseWaiting();
  }

  /** Calls that are sent and not settled, and calls that wait. */
  get busy(): boolean {
    return this.#flying > 0 || this.gate.waiting > 0 || this.#locks.waiting;
  }

  /** Resolves when no call is in flight any more. */
  drained(): Promise<void> {
    if (this.#flying === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  perform<T>(op: Operation<T>, signal: AbortSignal | undefined): Promise<T> {
    const { counters } = this.#options;
    counters.calls++;
    return new Promise<T>((resolve, refuse) => {
      const reject = (error: unknown): void => {
        counters.errors++;
        refuse(error);
      };
      try {
        this.#perform(op, signal, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  /** What need not wait does not: a call goes out in the turn in which it was made. */
  #perform<T>(
    op: Operation<T>,
    signal: AbortSignal | undefined,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    if (this.#options.closed()) throw errors.hostClosed(this.#site(op.method));
    if (signal?.aborted) throw errors.aborted(this.#site(op.method));
    // A breaker that is open, or a driver that is gone, answers at once, whatever is locked.
    void this.gate.current;
    const ms = this.#options.timeout(op.method);
    const expires = monotonicNow() + ms;
    const { nid, eid } = op;
    const caller: Caller<T> = { expires, ms, signal, resolve, reject, release: NOTHING };
    const release = nid === undefined ? NOTHING : this.#locks.tryAcquire(nid, eid);
    if (release) {
      caller.release = release;
      this.#begin(op, caller);
      return;
    }
    const patience = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method)),
      late: (): DriverError => errors.busy(this.#site(op.method), "another call holds its id"),
    };
    waitFor<Release>(patience, (granted, refused) =>
      this.#locks.wait(nid as string, eid, granted, () => refused(errors.hostClosed(this.#site(op.method)))),
    ).then((granted) => {
      caller.release = granted;
      this.#begin(op, caller);
    }, reject);
  }

  /** It holds its ids: admitted once the driver is in service. */
  #begin<T>(op: Operation<T>, caller: Caller<T>): void {
    const failed = (error: unknown): void => {
      caller.release();
      caller.reject(error);
    };
    let served: Served | undefined;
    try {
      served = this.gate.current;
    } catch (error) {
      failed(error);
      return;
    }
    if (served) this.#admit(op, served, caller);
    else this.#serviced(op, caller).then((next) => this.#admit(op, next, caller), failed);
  }

  #admit<T>(op: Operation<T>, served: Served, caller: Caller<T>): void {
    let intended = false;
    const failed = (error: unknown): void => {
      if (intended) void this.#finish(() => op.refuse(), op, caller.release);
      else caller.release();
      caller.reject(error);
    };
    try {
      op.admit();
      intended = true;
      const written = op.intend();
      const send = (): void => this.#send(op, served, caller, failed);
      if (written) {
        this.#flying++;
        void this.#inTime(written, op, caller.expires)
          .then(send, failed)
          .finally(() => this.#landed());
      } else if (this.#options.journal.commit === undefined || op.reads) send();
      else this.#sendCommitted(send, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Sends what is intended in one turn once the journal has it, all of it at once. */
  #sendCommitted(send: () => void, failed: (error: unknown) => void): void {
    this.#flying++;
    if (this.#intended.push({ send, failed }) > 1) return;
    queueMicrotask(() => {
      const intended = this.#intended;
      this.#intended = [];
      try {
        this.#options.journal.commit?.();
      } catch (error) {
        for (const one of intended) {
          one.failed(error);
          this.#landed();
        }
        return;
      }
      for (const one of intended) {
        one.send();
        this.#landed();
      }
    });
  }

  #send<T>(op: Operation<T>, served: Served, caller: Caller<T>, failed: (error: unknown) => void): void {
    if (served.session.alive) this.#exchange(op, served, caller);
    else this.#serviced(op, caller).then((next) => this.#send(op, next, caller, failed), failed);
  }

  /** Waits until the driver is in service, at most as long as the caller does. */
  #serviced<T>(op: Operation<T>, { expires, ms, signal }: Caller<T>): Promise<Served> {
    const patience = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method)),
      late: (): DriverError => this.#late(op, ms),
    };
    return waitFor<Served>(patience, (resolve, reject) => this.gate.wait(resolve, reject));
  }

  /** Asks again what changes nothing, of the driver's next worker. The caller notices no more than the wait. */
  #again<T>(op: Operation<T>, caller: Caller<T>): void {
    const failed = (error: unknown): void => {
      caller.release();
      caller.reject(error);
    };
    const ask = (served: Served): void => {
      try {
        op.admit();
        this.#send(op, served, caller, failed);
      } catch (error) {
        failed(error);
      }
    };
    const served = this.gate.opened;
    if (served?.session.alive) ask(served);
    else this.#serviced(op, caller).then(ask, failed);
  }

  /** Sends the call and answers its caller: by the reply, by the deadline, by the caller's signal, or by the worker's end. */
  #exchange<T>(op: Operation<T>, served: Served, caller: Caller<T>): void {
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
      if (byCaller) caller.reject(errors.aborted(this.#site(op.method)));
      else caller.reject(this.#late(op, ms, started, blocked));
    };
    const onAbort = (): void => giveUp(true);
    const quiet = (): void => {
      late.met();
      signal?.removeEventListener("abort", onAbort);
    };
    const late = deadline(expires, ms, () => giveUp(false));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#flying++;
    const id = session.call(op.method, [String(index), ...op.args()], expires, (outcome) => {
      clearTimeout(unsettled);
      if (told) {
        void this.#aftermath.settle({ op, release, attempts: 0 }, outcome, served).finally(() => this.#landed());
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
    const site = this.#site(op.method);
    const finish = (write: () => Written, answer: () => void): void => {
      const written = this.#finish(write, op, () => {
        release();
        this.#landed();
      });
      if (written) this.#inTime(written, op, expires).then(answer, reject);
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
        if (op.reads && outcome.end.innocent === true && !this.#options.closed() && monotonicNow() < expires) {
          this.#landed();
          this.#again(op, caller);
          return;
        }
        this.#aftermath.leave({ op, release, attempts: 0 });
        this.#landed();
        if (this.#options.closed()) reject(errors.hostClosed(site));
        // The worker was ended over this very deadline, a moment before its timer.
        else if (monotonicNow() >= expires) {
          reject(this.#late(op, this.#options.timeout(op.method), outcome.started, true));
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
      const error = errors.badReply(cause, rollback, this.#site(op.method));
      this.#options.reports.replyRefused(error);
      reject(error);
    };
    const call = { op, release, attempts: 0 };
    if (!op.inverse) {
      void this.#aftermath.refuse(call).then(() => {
        this.#landed();
        refuse("");
      });
      return;
    }
    const late = (): void => refuse(`; failed to roll back: ${op.inverse} was not answered in time; the host goes on`);
    const timer = setTimeout(late, Math.max(0, expires - monotonicNow()));
    void this.#aftermath.undo(call, served).then((failure) => {
      clearTimeout(timer);
      this.#landed();
      refuse(failure === undefined ? "; rolled back" : `; failed to roll back: ${failure}`);
    });
  }

  /**
   * Writes an outcome. `over`: at once where the journal answers at once, else when it has; the ids stay locked until then,
   * whoever has been answered meanwhile. What the journal refuses is logged, and told to who waits for it.
   */
  #finish(write: () => Written, op: Operation<unknown>, over: () => void): Written {
    const refused = (error: unknown): void => {
      this.#options.logger.error(
        { plugin: this.#options.plugin, driver: this.#options.type, nid: op.nid, eid: op.eid, err: error },
        "the journal refused a write",
      );
      over();
    };
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
    written.then(over, refused);
    return written;
  }

  /** A disk that hangs is no reason to answer late. */
  #inTime(written: Promise<void>, op: Operation<unknown>, expires: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(errors.notJournalled(this.#options.timeout(op.method), this.#site(op.method)));
      const timer = setTimeout(late, Math.max(0, expires - monotonicNow()));
      written.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #landed(): void {
    if (--this.#flying > 0) return;
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  /** The deadline has passed: the event, the count, and what the caller is told. */
  #late(op: Operation<unknown>, ms: number, started = true, blocked = false): DriverError {
    const { plugin, type, counters, reports } = this.#options;
    const site = this.#site(op.method);
    const error = started ? errors.timedOut(ms, site) : errors.busy(site, "another call held the worker");
    counters.timeouts++;
    const ids = { ...(op.nid === undefined ? {} : { nid: op.nid }), ...(op.eid === undefined ? {} : { eid: op.eid }) };
    reports.timedOut({ plugin, type, method: op.method, ...ids, ms, blocked }, error.code);
    return error;
  }

  #site(method: WorkerMethod): errors.CallSite {
    return { plugin: this.#options.plugin, driver: this.#options.type, method };
  }
}
