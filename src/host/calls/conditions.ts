/** What all calls to one driver share: their plugin and type, their timeouts, counters and reports. */

import { monotonicNow } from "../../common/clock.js";
import type { Logger } from "../../common/logger.js";
import type { DriverError, ErrorCode } from "../../driverapi/errors.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { Journal } from "../../storage/journal/journal.js";
import type { CallTimeoutEvent } from "../events.js";
import * as errors from "./errors.js";
import type { Release } from "./locks.js";
import type { Operation } from "./operation.js";

/** What is counted of a plugin since it was loaded. */
export interface Counters {
  /** Calls of the platform, to all of its drivers. */
  calls: number;
  /** Those of them that failed. */
  errors: number;
  /** Those of them that passed their deadline. */
  timeouts: number;
  /** How often its worker was started again after a crash. */
  restarts: number;
  /** How often it broke the protocol. */
  violations: number;
}

/** Reports on the calls of one plugin's drivers. */
export interface CallReports {
  timedOut(event: CallTimeoutEvent, code: ErrorCode): void;
  /** A driver's answer was refused. */
  replyRefused(error: DriverError): void;
}

export interface Conditions {
  readonly type: string;
  readonly plugin: string;
  readonly counters: Counters;
  readonly reports: CallReports;
  readonly logger: Logger;
  readonly closed: () => boolean;
  readonly journal: Pick<Journal, "commit">;
  timeout(method: WorkerMethod): number;
}

const NOTHING: Release = () => {};

/**
 * The caller of one call: its deadline and signal, the way to answer it, and the ids it holds. A class, as `Exchange` is:
 * there is one per call in flight, and closures would take several times the memory.
 */
export class Caller<T> {
  readonly ms: number;
  /** Monotonic milliseconds. */
  readonly expires: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: T) => void;
  release: Release = NOTHING;
  readonly #reject: (error: unknown) => void;
  readonly #conditions: Conditions;
  readonly #method: WorkerMethod;

  /** Starts the deadline: the method's timeout from now on. */
  constructor(
    conditions: Conditions,
    method: WorkerMethod,
    signal: AbortSignal | undefined,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#conditions = conditions;
    this.#method = method;
    this.ms = conditions.timeout(method);
    this.expires = monotonicNow() + this.ms;
    this.signal = signal;
    this.resolve = resolve;
    this.#reject = reject;
  }

  /** Rejects the call; the error says where it happened. */
  reject(error: unknown): void {
    this.#conditions.counters.errors++;
    this.#reject(errors.placed(error, siteOf(this.#conditions, this.#method)));
  }

  /** Releases the ids and rejects the call. */
  fail(error: unknown): void {
    this.release();
    this.reject(error);
  }
}

/** Returns what an error says about where it happened. */
export function siteOf({ plugin, type }: Conditions, method: WorkerMethod): errors.CallSite {
  return { plugin, driver: type, method };
}

/** Handles a passed deadline: emits the event, counts it, and returns the caller's error. `started`: the driver had begun. */
export function late(
  conditions: Conditions,
  op: Operation<unknown>,
  ms: number,
  started = true,
  blocked = false,
): DriverError {
  const { plugin, type, counters, reports } = conditions;
  const site = siteOf(conditions, op.method);
  const error = started ? errors.timedOut(ms, site) : errors.busy(site, "another call held the worker");
  counters.timeouts++;
  const ids = { ...(op.nid === undefined ? {} : { nid: op.nid }), ...(op.eid === undefined ? {} : { eid: op.eid }) };
  reports.timedOut({ plugin, type, method: op.method, ...ids, ms, blocked }, error.code);
  return error;
}
