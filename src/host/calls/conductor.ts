/**
 * Conducts driver calls: lock, service, existence, intent, then the exchange. Every caller is answered by its own deadline; whatever
 * the driver does after that is settled without the caller, under the same lock (README.md here).
 */
import type { DriverError } from "../../driverapi/errors.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import { Aftermath } from "./aftermath.js";
import type { Served } from "./ask.js";
import { Caller, type Conditions, late, siteOf } from "./conditions.js";
import * as errors from "./errors.js";
import { Exchange, type ExchangeParts } from "./exchange.js";
import { Flights } from "./flights.js";
import { Gate } from "./gate.js";
import { NetworkLocks, type Release } from "./locks.js";
import type { Operation } from "./operation.js";
import { writeOutcome, writtenInTime } from "./outcome-writes.js";
import { waitFor } from "./waiting.js";

/** A call whose intent is recorded. It is sent once the journal has committed that. */
interface Intended {
  readonly op: Operation<unknown>;
  readonly served: Served;
  readonly caller: Caller<unknown>;
}

export class Conductor {
  readonly gate: Gate<Served> = new Gate<Served>();
  readonly #conditions: Conditions;
  readonly #locks = new NetworkLocks();
  readonly #aftermath: Aftermath;
  readonly #flights = new Flights();
  readonly #exchanges: ExchangeParts;
  #intended: Intended[] = [];

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
    this.#aftermath = new Aftermath(conditions, () => this.gate.opened);
    this.#exchanges = {
      conditions,
      aftermath: this.#aftermath,
      flights: this.#flights,
      again: (op, caller) => this.#again(op, caller),
    };
  }

  /** Settles what earlier workers left open. */
  resume(served: Served): Promise<void> {
    return this.#aftermath.resume(served);
  }

  /** Takes up a call that an earlier host left open: the call holds its ids until the next worker in service settles it. */
  adopt(op: Operation<unknown>): void {
    const { nid = "", eid } = op;
    const held = (release: Release): void => this.#aftermath.leave({ op, release, attempts: 0 });
    const release = this.#locks.tryAcquire(nid, eid);
    if (release) held(release);
    else this.#locks.wait(nid, eid, held, () => {});
  }

  /** The host is closed: refuses every call that waits, for the driver or for a lock. */
  shut(): void {
    const { plugin, type } = this.#conditions;
    this.gate.refuse(() => errors.hostClosed({ plugin, driver: type }));
    this.#locks.refuseWaiting();
  }

  /** True while a call has been sent and not settled, or is waiting. */
  get busy(): boolean {
    return this.#flights.any || this.gate.waiting > 0 || this.#locks.waiting;
  }

  /** Resolves when no call is in flight. */
  drained(): Promise<void> {
    return this.#flights.drained();
  }

  perform<T>(op: Operation<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#conditions.counters.calls++;
    return new Promise<T>((resolve, reject) => {
      const caller = new Caller<T>(this.#conditions, op.method, signal, resolve, reject);
      try {
        this.#perform(op, caller);
      } catch (error) {
        caller.reject(error);
      }
    });
  }

  /** A call that need not wait is sent in the same turn of the event loop. */
  #perform<T>(op: Operation<T>, caller: Caller<T>): void {
    const { expires, signal } = caller;
    if (this.#conditions.closed()) throw errors.hostClosed(this.#site(op.method));
    if (signal?.aborted) throw errors.aborted(this.#site(op.method), signal);
    const { nid, eid } = op;
    // A breaker that is open, or a driver that is gone, answers at once, whatever is locked.
    const alone = this.gate.refuses && op.quarantined?.() === true;
    if (!alone) void this.gate.current;
    const begin = (): void => (alone ? this.#withoutDriver(op, caller) : this.#begin(op, caller));
    if (nid === undefined) {
      begin();
      return;
    }
    const release = this.#locks.tryAcquire(nid, eid);
    if (release) {
      caller.release = release;
      begin();
      return;
    }
    const patience = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method), signal),
      late: (): DriverError => errors.busy(this.#site(op.method), "another call holds its id"),
    };
    waitFor<Release>(patience, (granted, refused) =>
      this.#locks.wait(nid, eid, granted, () => refused(errors.hostClosed(this.#site(op.method)))),
    ).then(
      (granted) => {
        caller.release = granted;
        begin();
      },
      (error) => caller.reject(error),
    );
  }

  /** Deletes without the driver a network that is no longer restored in it, or part of one. */
  #withoutDriver<T>(op: Operation<T>, caller: Caller<T>): void {
    try {
      op.admit();
    } catch (error) {
      caller.fail(error);
      return;
    }
    // Only calls that return nothing can be lost.
    const done = (): void => caller.resolve(undefined as T);
    const written = writeOutcome(this.#conditions, op, () => op.accept(undefined as T), caller.release);
    if (written)
      writtenInTime(this.#conditions, op, written, caller.expires).then(done, (error) => caller.reject(error));
    else done();
  }

  /** The call holds its ids: admits it once the driver is in service. */
  #begin<T>(op: Operation<T>, caller: Caller<T>): void {
    let served: Served | undefined;
    try {
      served = this.gate.current;
    } catch (error) {
      caller.fail(error);
      return;
    }
    if (served) this.#admit(op, served, caller);
    else
      this.#serviced(op, caller).then(
        (next) => this.#admit(op, next, caller),
        (error) => caller.fail(error),
      );
  }

  #admit<T>(op: Operation<T>, served: Served, caller: Caller<T>): void {
    try {
      op.admit();
    } catch (error) {
      caller.fail(error);
      return;
    }
    if (op.needless?.(served)) {
      caller.release();
      // Only calls that return nothing are needless.
      caller.resolve(undefined as T);
      return;
    }
    try {
      const written = op.intend();
      if (written) {
        this.#flights.began();
        void writtenInTime(this.#conditions, op, written, caller.expires)
          .then(
            () => this.#send(op, served, caller),
            (error) => this.#unsent(op, caller, error),
          )
          .finally(() => this.#flights.landed());
      } else if (this.#conditions.journal.commit === undefined || op.reads) this.#send(op, served, caller);
      else this.#sendCommitted({ op, served, caller } as Intended);
    } catch (error) {
      this.#unsent(op, caller, error);
    }
  }

  /** The call's intent is recorded, but the call could not be sent. */
  #unsent<T>(op: Operation<T>, caller: Caller<T>, error: unknown): void {
    void writeOutcome(this.#conditions, op, () => op.refuse(), caller.release);
    caller.reject(error);
  }

  /** Collects the calls of one turn, commits their intents to the journal together, and then sends them. */
  #sendCommitted(one: Intended): void {
    this.#flights.began();
    if (this.#intended.push(one) > 1) return;
    queueMicrotask(() => {
      const intended = this.#intended;
      this.#intended = [];
      let refusal: { readonly error: unknown } | undefined;
      try {
        this.#conditions.journal.commit?.();
      } catch (error) {
        refusal = { error };
      }
      for (const { op, served, caller } of intended) {
        if (refusal) this.#unsent(op, caller, refusal.error);
        else this.#send(op, served, caller);
        this.#flights.landed();
      }
    });
  }

  #send<T>(op: Operation<T>, served: Served, caller: Caller<T>): void {
    // The caller may have left while the intent was written.
    if (caller.signal?.aborted) this.#unsent(op, caller, errors.aborted(this.#site(op.method), caller.signal));
    else if (served.session.alive) new Exchange(this.#exchanges, op, served, caller).send();
    else
      this.#serviced(op, caller).then(
        (next) => this.#send(op, next, caller),
        (error) => this.#unsent(op, caller, error),
      );
  }

  /** Waits until the driver is in service, or until the caller's deadline or signal. */
  #serviced<T>(op: Operation<T>, { expires, ms, signal }: Caller<T>): Promise<Served> {
    const patience = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method), signal),
      late: (): DriverError => late(this.#conditions, op, ms),
    };
    return waitFor<Served>(patience, (resolve, reject) => this.gate.wait(resolve, reject));
  }

  /** Repeats a call that changes nothing at the driver's next worker. The caller notices only the wait. */
  #again<T>(op: Operation<T>, caller: Caller<T>): void {
    const served = this.gate.opened;
    if (served?.session.alive) this.#admit(op, served, caller);
    else
      this.#serviced(op, caller).then(
        (next) => this.#admit(op, next, caller),
        (error) => caller.fail(error),
      );
  }

  #site(method: WorkerMethod): errors.CallSite {
    return siteOf(this.#conditions, method);
  }
}
