/** Context of the calls to one driver: plugin and type, timeouts, counters and reports. */

import type { Logger } from "../../common/logger.js";
import type { DriverError, ErrorCode } from "../../driverapi/errors.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { Journal } from "../../storage/journal/journal.js";
import type { CallTimeoutEvent } from "../events.js";
import type { CallSite } from "./errors.js";
import type { OpenCall, Tally } from "./tally.js";

/** Counters of a plugin since it was loaded. */
export interface Counters {
  /** Calls of the platform, to all of its drivers. */
  calls: number;
  /** Calls that failed. */
  errors: number;
  /** Calls that passed their deadline. */
  timeouts: number;
  /** Restarts of its worker after a crash. */
  restarts: number;
  /** Violations of the protocol. */
  violations: number;
}

/** Reports on the calls of one plugin's drivers. */
export interface CallReports {
  timedOut(event: CallTimeoutEvent, code: ErrorCode): void;
  /** A driver's answer was refused. */
  replyRefused(error: DriverError): void;
}

/** A call as its caller knows it; `args` makes its arguments' JSON texts, as they are sent. */
export interface SeenCall extends OpenCall {
  readonly plugin: string;
  args(): readonly string[];
}

/** Keeps answered calls; `code` and `message`: of an error. Must cost next to nothing. */
export interface CallRecorder {
  call(call: SeenCall, code?: string, message?: string): void;
}

export interface CallContext {
  readonly type: string;
  readonly plugin: string;
  readonly counters: Counters;
  readonly tally: Tally;
  readonly reports: CallReports;
  readonly recorder: CallRecorder | undefined;
  readonly logger: Logger;
  readonly closed: () => boolean;
  readonly journal: Pick<Journal, "commit">;
  timeout(method: WorkerMethod): number;
}

/** Returns an error's site. */
export function siteOf({ plugin, type }: CallContext, method: WorkerMethod): CallSite {
  return { plugin, driver: type, method };
}
