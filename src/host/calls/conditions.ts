/** What all calls to one driver have in common: whose they are, how long they may take, where they are counted and told of. */
import type { DriverError } from "../../driverapi/errors.js";
import type { DriverMethod } from "../../driverapi/types.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { Journal } from "../journal/journal.js";
import type { Logger } from "../logger.js";
import type { CallReports } from "../plugin/reports.js";
import * as errors from "./errors.js";
import type { Operation } from "./operation.js";

export interface Counters {
  calls: number;
  errors: number;
  timeouts: number;
  restarts: number;
  violations: number;
}

export interface Conditions {
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
export interface Caller<T> {
  readonly expires: number;
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  release: () => void;
}

/** What an error says of where it happened. */
export function siteOf({ plugin, type }: Conditions, method: WorkerMethod): errors.CallSite {
  return { plugin, driver: type, method };
}

/** The deadline has passed: the event, the count, and what the caller is told. `started`: its driver had begun. */
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
