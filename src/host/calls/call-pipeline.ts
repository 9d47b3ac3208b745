/**
 * Takes driver calls through lock, service, existence and intent to the exchange. Every caller is answered by its deadline; what
 * the driver does later is settled without the caller, under the same lock (README.md here).
 */
import type { DriverError } from "../../driverapi/errors.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import { waitInQueue } from "./bounded-wait.js";
import { type CallContext, siteOf } from "./call-context.js";
import { Caller, deadlinePassed } from "./caller.js";
import * as errors from "./errors.js";
import { Exchange, type ExchangeParts } from "./exchange.js";
import { Gate } from "./gate.js";
import type { LiveDriver } from "./host-call.js";
import { InDoubtCalls } from "./in-doubt-calls.js";
import { InFlightCount } from "./in-flight.js";
import { type IntendedCall, IntentBatch } from "./intent-batch.js";
import { NetworkLocks, type Release } from "./locks.js";
import type { Operation } from "./operation.js";
import { writeOutcome, writtenInTime } from "./outcome-writes.js";

export class CallPipeline {
  readonly gate: Gate<LiveDriver> = new Gate<LiveDriver>();
  readonly #context: CallContext;
  readonly #locks = new NetworkLocks();
  readonly #inDoubt: InDoubtCalls;
  readonly #inFlight = new InFlightCount();
  readonly #exchanges: ExchangeParts;
  readonly #batch: IntentBatch;

  constructor(context: CallContext) {
    this.#context = context;
    this.#inDoubt = new InDoubtCalls(context, () => this.gate.opened);
    this.#exchanges = {
      context,
      inDoubt: this.#inDoubt,
      inFlight: this.#inFlight,
      repeat: (op, caller) => this.#repeat(op, caller),
    };
    this.#batch = new IntentBatch(context.journal, this.#inFlight, {
      send: ({ op, live, caller }) => this.#send(op, live, caller),
      unsent: ({ op, caller }, error) => this.#unsent(op, caller, error),
    });
  }

  /** Settles what earlier workers left open. */
  resume(live: LiveDriver): Promise<void> {
    return this.#inDoubt.resume(live);
  }

  /** Adopts a call that an earlier host left unfinished: it holds its ids until the next worker in service settles it. */
  adopt(op: Operation<unknown>): void {
    const { nid = "", eid } = op;
    const held = (release: Release): void => this.#inDoubt.defer({ op, release, attempts: 0 });
    const release = this.#locks.tryAcquire(nid, eid);
    if (release) held(release);
    else this.#locks.wait(nid, eid, held, () => {});
  }

  /** Refuses every call that waits for the driver or for a lock, because the host is closed. */
  shut(): void {
    const { plugin, type } = this.#context;
    this.gate.refuse(() => errors.hostClosed({ plugin, driver: type }));
    this.#locks.refuseWaiting();
  }

  /** True while a call has been sent and not settled, or is waiting. */
  get busy(): boolean {
    return this.#inFlight.any || this.gate.waiting > 0 || this.#locks.waiting;
  }

  /** Resolves when no call is in flight. */
  drained(): Promise<void> {
    return this.#inFlight.drained();
  }

  perform<T>(op: Operation<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#context.counters.calls++;
    return new Promise<T>((resolve, reject) => {
      const caller = new Caller<T>(this.#context, op, signal, resolve, reject);
      try {
        this.#perform(op, caller);
      } catch (error) {
        caller.reject(error);
      }
    });
  }

  /** Starts a call; sends it in the same turn of the event loop if it need not wait. */
  #perform<T>(op: Operation<T>, caller: Caller<T>): void {
    const { expires, signal } = caller;
    if (this.#context.closed()) throw errors.hostClosed(this.#site(op.method));
    if (signal?.aborted) throw errors.aborted(this.#site(op.method), signal);
    const { nid, eid } = op;
    // `current` throws while the breaker is open or no plugin serves the type: the caller is told at once, even if the ids are
    // locked.
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
    const limits = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method), signal),
      late: (): DriverError => errors.busy(this.#site(op.method), "another call holds its id"),
    };
    waitInQueue<Release>(limits, (granted, refused) =>
      this.#locks.wait(nid, eid, granted, () => refused(errors.hostClosed(this.#site(op.method)))),
    ).then(
      (granted) => {
        caller.release = granted;
        begin();
      },
      (error) => caller.reject(error),
    );
  }

  /** Deletes a quarantined network, or part of one, without the driver. */
  #withoutDriver<T>(op: Operation<T>, caller: Caller<T>): void {
    try {
      op.admit();
    } catch (error) {
      caller.fail(error);
      return;
    }
    // Only calls without a result get here.
    const done = (): void => caller.resolve(undefined as T);
    const written = writeOutcome(this.#context, op, () => op.accept(undefined as T), caller.release);
    if (written) writtenInTime(this.#context, op, written, caller.expires).then(done, (error) => caller.reject(error));
    else done();
  }

  /** Admits the call, which holds its ids, once the driver is in service. */
  #begin<T>(op: Operation<T>, caller: Caller<T>): void {
    let live: LiveDriver | undefined;
    try {
      live = this.gate.current;
    } catch (error) {
      caller.fail(error);
      return;
    }
    if (live) this.#admit(op, live, caller);
    else
      this.#serviced(op, caller).then(
        (next) => this.#admit(op, next, caller),
        (error) => caller.fail(error),
      );
  }

  #admit<T>(op: Operation<T>, live: LiveDriver, caller: Caller<T>): void {
    try {
      op.admit();
    } catch (error) {
      caller.fail(error);
      return;
    }
    if (op.skippable?.(live)) {
      caller.release();
      // Only calls without a result are skippable.
      caller.resolve(undefined as T);
      return;
    }
    try {
      const written = op.intend();
      if (written) {
        this.#inFlight.add();
        void writtenInTime(this.#context, op, written, caller.expires)
          .then(
            () => this.#send(op, live, caller),
            (error) => this.#unsent(op, caller, error),
          )
          .finally(() => this.#inFlight.done());
      } else if (this.#context.journal.commit === undefined || op.reads) this.#send(op, live, caller);
      else this.#batch.add({ op, live, caller } as IntendedCall);
    } catch (error) {
      this.#unsent(op, caller, error);
    }
  }

  /** Rejects a call whose intent is recorded but which could not be sent. */
  #unsent<T>(op: Operation<T>, caller: Caller<T>, error: unknown): void {
    void writeOutcome(this.#context, op, () => op.refuse(), caller.release);
    caller.reject(error);
  }

  #send<T>(op: Operation<T>, live: LiveDriver, caller: Caller<T>): void {
    // The caller may have aborted while the intent was written.
    if (caller.signal?.aborted) this.#unsent(op, caller, errors.aborted(this.#site(op.method), caller.signal));
    else if (live.session.alive) new Exchange(this.#exchanges, op, live, caller).send();
    else
      this.#serviced(op, caller).then(
        (next) => this.#send(op, next, caller),
        (error) => this.#unsent(op, caller, error),
      );
  }

  /** Waits until the driver is in service, or until the caller's deadline or signal. */
  #serviced<T>(op: Operation<T>, { expires, ms, signal }: Caller<T>): Promise<LiveDriver> {
    const limits = {
      expires,
      signal,
      aborted: (): DriverError => errors.aborted(this.#site(op.method), signal),
      late: (): DriverError => deadlinePassed(this.#context, op, ms),
    };
    return waitInQueue<LiveDriver>(limits, (resolve, reject) => this.gate.wait(resolve, reject));
  }

  /** Sends a call that changes nothing to the driver's next worker. */
  #repeat<T>(op: Operation<T>, caller: Caller<T>): void {
    const live = this.gate.opened;
    if (live?.session.alive) this.#admit(op, live, caller);
    else
      this.#serviced(op, caller).then(
        (next) => this.#admit(op, next, caller),
        (error) => caller.fail(error),
      );
  }

  #site(method: WorkerMethod): errors.CallSite {
    return siteOf(this.#context, method);
  }
}
