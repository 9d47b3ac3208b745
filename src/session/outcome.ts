/** Outcomes of calls and sessions. */

import { escapeLine } from "../common/escape.js";
import type { ErrorCode } from "../driverapi/errors.js";
import type { Json } from "../driverapi/json.js";
import type { LinkEnd } from "../isolation/link.js";
import { LIMITS } from "../protocol/limits.js";
import type { ThrownValue } from "../protocol/messages.js";

/** Why a session is over. `code` is what the operator sees. */
export interface SessionEnd {
  readonly code: ErrorCode;
  readonly reason: string;
  /** True if it is the plugin's fault, to be counted as a crash; false when the host itself ended it. */
  readonly crash: boolean;
  /** True if its host process ended with other plugins in it: this one may not be the cause. */
  readonly innocent?: boolean;
}

/**
 * Outcome of a call. `dropped`: it had expired and was not run. `ended`: the worker ended; `started`: whether it had started,
 * as far as known.
 */
export type CallOutcome =
  | { readonly how: "value"; readonly value: Json }
  | { readonly how: "error"; readonly error: ThrownValue }
  | { readonly how: "dropped" }
  | { readonly how: "ended"; readonly started: boolean; readonly end: SessionEnd };

/** Why a start failed: the plugin threw (`thrown`), or its session ended (`end`). */
export class ThrownFailure extends Error {
  readonly thrown: { readonly stage: "load" | "export" | "init" | "protocol"; readonly error: ThrownValue } | undefined;
  readonly end: SessionEnd | undefined;

  constructor(thrown: ThrownFailure["thrown"], end: SessionEnd | undefined) {
    super(thrown?.error.message ?? end?.reason ?? "");
    this.thrown = thrown;
    this.end = end;
  }
}

/** Describes an uncaught exception or unhandled rejection, escaped. */
export function crashReason(origin: string, error: ThrownValue): string {
  const where = error.file === undefined ? "" : ` (${error.file}:${error.line})`;
  const what = origin === "unhandledRejection" ? "an unhandled rejection" : "an uncaught exception";
  return escapeLine(`${what}: ${error.name}: ${error.message}${where}`, LIMITS.messageChars);
}

/** Returns the session's end for a link that has ended. */
export function linkEnded(end: LinkEnd): SessionEnd {
  if (end.how === "memory") return { code: "ERR_PLUGIN_MEMORY", reason: "its worker ran out of memory", crash: true };
  if (end.how === "process")
    return {
      code: "ERR_HOST_PROCESS",
      reason: escapeLine(`its host process ended: ${end.detail}`, LIMITS.messageChars),
      crash: true,
      innocent: end.shared === true,
    };
  return {
    code: "ERR_PLUGIN_CRASHED",
    reason: escapeLine(`its worker ended: ${end.detail}`, LIMITS.messageChars),
    crash: true,
  };
}
