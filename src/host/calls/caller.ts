/** The caller of one call: its deadline and signal, the way to answer it, and the ids it holds. */
import { monotonicNow } from "../../common/clock.js";
import { messageOf } from "../../common/text.js";
import { beginCall, endStep, type Step } from "../../common/tracing.js";
import { DriverError } from "../../driverapi/errors.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import { type CallContext, type SeenCall, siteOf } from "./call-context.js";
import type { Deadline } from "./deadlines.js";
import * as errors from "./errors.js";
import type { Release } from "./locks.js";
import type { Operation } from "./operation.js";

const NOTHING: Release = () => {};

/** A class, as `Exchange` is: there is one per call in flight, and closures would take several times the memory. */
export class Caller<T> implements SeenCall {
  readonly ms: number;
  /** Monotonic milliseconds. */
  readonly expires: number;
  readonly signal: AbortSignal | undefined;
  readonly nid: string | undefined;
  readonly eid: string | undefined;
  release: Release = NOTHING;
  /** Set while the call is in the worker, and until its outcome is written. */
  deadline: Deadline | undefined;
  readonly #reject: (error: unknown) => void;
  readonly #resolve: (value: T) => void;
  readonly #context: CallContext;
  readonly #op: Operation<T>;
  #args: readonly string[] | undefined;
  readonly method: WorkerMethod;
  /** Its span, where calls are traced. */
  readonly step: Step | undefined;

  /** Starts the deadline: the method's timeout from now on. */
  constructor(
    context: CallContext,
    op: Operation<T>,
    signal: AbortSignal | undefined,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    const { method, nid, eid } = op;
    this.#context = context;
    this.#op = op;
    this.method = method;
    this.nid = nid;
    this.eid = eid;
    this.ms = context.timeout(method);
    this.expires = monotonicNow() + this.ms;
    this.signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    context.tally.began(this);
    this.step = beginCall(this);
  }

  get plugin(): string {
    return this.#context.plugin;
  }

  get type(): string {
    return this.#context.type;
  }

  get began(): number {
    return this.expires - this.ms;
  }

  /** Makes the arguments once; they are sent, and recorded when the call is answered. */
  args(): readonly string[] {
    this.#args ??= this.#op.args();
    return this.#args;
  }

  resolve(value: T): void {
    this.deadline?.met();
    this.#context.tally.ended(this);
    this.#context.recorder?.call(this);
    endStep(this.step);
    this.#resolve(value);
  }

  /** Rejects the call; the error says where it happened. */
  reject(error: unknown): void {
    this.deadline?.met();
    const { counters, tally, type, recorder } = this.#context;
    counters.errors++;
    const code = error instanceof DriverError ? error.code : "ERR_INTERNAL";
    tally.ended(this, code);
    endStep(this.step, code);
    const message = messageOf(error);
    recorder?.call(this, code, message);
    tally.failed({ code, message, type, method: this.method });
    this.#reject(errors.withSite(error, siteOf(this.#context, this.method)));
  }

  /** Releases the ids and rejects the call. */
  fail(error: unknown): void {
    this.release();
    this.reject(error);
  }
}

/** Handles a passed deadline: emits the event, counts it, and returns the caller's error. `started`: the driver had begun. */
export function deadlinePassed(
  context: CallContext,
  op: Operation<unknown>,
  ms: number,
  started = true,
  blocked = false,
): DriverError {
  const { plugin, type, counters, reports } = context;
  const site = siteOf(context, op.method);
  const error = started ? errors.timedOut(ms, site) : errors.busy(site, "another call held the worker");
  counters.timeouts++;
  const ids = { ...(op.nid === undefined ? {} : { nid: op.nid }), ...(op.eid === undefined ? {} : { eid: op.eid }) };
  reports.timedOut({ plugin, type, method: op.method, ...ids, ms, blocked }, error.code);
  return error;
}
