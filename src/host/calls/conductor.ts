/**
 * Conducts driver calls: lock, service, existence, intent, then the exchange. Every caller is answered by its own deadline; what
 * the driver does later is settled behind its back, under the same lock (BEHAVIOUR "Existence, order, outcome").
 */
import type { DriverError } from "../../driverapi/errors.js";
import { monotonicNow } from "../../protocol/clock.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import { Aftermath } from "./aftermath.js";
import type { Served } from "./ask.js";
import { type Caller, type Conditions, late, siteOf } from "./conditions.js";
import * as errors from "./errors.js";
import { Exchange } from "./exchange.js";
import { Flights } from "./flights.js";
import { Gate } from "./gate.js";
import { NetworkLocks, type Release } from "./locks.js";
import type { Operation } from "./operation.js";
import { inTime, writeOutcome } from "./outcome-writes.js";
import { waitFor } from "./waiting.js";

const NOTHING: Release = () => {};

export class Conductor {
  readonly gate: Gate<Served> = new Gate<Served>();
  readonly #conditions: Conditions;
  readonly #locks = new NetworkLocks();
  readonly #aftermath: Aftermath;
  readonly #flights = new Flights();
  readonly #exchange: Exchange;
  #intended: { readonly send: () => void; readonly failed: (error: unknown) => void }[] = [];

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
    this.#aftermath = new Aftermath(conditions, () => this.gate.opened);
    this.#exchange = new Exchange(conditions, {
      aftermath: this.#aftermath,
      flights: this.#flights,
      again: (op, caller) => this.#again(op, caller),
    });
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
    return this.#flights.any || this.gate.waiting > 0 || this.#locks.waiting;
  }

  /** Resolves when no call is in flight any more. */
  drained(): Promise<void> {
    return this.#flights.drained();
  }

  perform<T>(op: Operation<T>, signal: AbortSignal | undefined): Promise<T> {
    const { counters } = this.#conditions;
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
    if (this.#conditions.closed()) throw errors.hostClosed(this.#site(op.method));
    if (signal?.aborted) throw errors.aborted(this.#site(op.method));
    // A breaker that is open, or a driver that is gone, answers at once, whatever is locked.
    void this.gate.current;
    const ms = this.#conditions.timeout(op.method);
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
      if (intended) void writeOutcome(this.#conditions, op, () => op.refuse(), caller.release);
      else caller.release();
      caller.reject(error);
    };
    try {
      op.admit();
      intended = true;
      const written = op.intend();
      const send = (): void => this.#send(op, served, caller, failed);
      if (written) {
        this.#flights.began();
        void inTime(this.#conditions, op, written, caller.expires)
          .then(send, failed)
          .finally(() => this.#flights.landed());
      } else if (this.#conditions.journal.commit === undefined || op.reads) send();
      else this.#sendCommitted(send, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Sends what is intended in one turn once the journal has it, all of it at once. */
  #sendCommitted(send: () => void, failed: (error: unknown) => void): void {
    this.#flights.began();
    if (this.#intended.push({ send, failed }) > 1) return;
    queueMicrotask(() => {
      const intended = this.#intended;
      this.#intended = [];
      try {
        this.#conditions.journal.commit?.();
      } catch (error) {
        for (const one of intended) {
          one.failed(error);
          this.#flights.landed();
        }
        return;
      }
      for (const one of intended) {
        one.send();
        this.#flights.landed();
      }
    });
  }

  #send<T>(op: Operation<T>, served: Served, caller: Caller<T>, failed: (error: unknown) => void): void {
    if (served.session.alive) this.#exchange.send(op, served, caller);
    else this.#serviced(op, caller).then((next) => this.#send(op, next, caller, failed), failed);
  }

  /** Waits until the driver is in service, at most as long as the caller does. */
  #serviced<T>(op: Operation<T>, { expires, ms, signal }: Caller<T>): Promise<Served> {
    const patience = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method)),
      late: (): DriverError => late(this.#conditions, op, ms),
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

  #site(method: WorkerMethod): errors.CallSite {
    return siteOf(this.#conditions, method);
  }
}
