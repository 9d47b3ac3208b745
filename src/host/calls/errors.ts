/** Errors of driver calls, in one place: the wording and the fields of each. */

import { escapeLine } from "../../common/escape.js";
import { messageOf } from "../../common/text.js";
import { DriverError, isDriverThrowable, isErrorCode, isErrorKind } from "../../driverapi/errors.js";
import { LIMITS } from "../../protocol/limits.js";
import type { ThrownValue } from "../../protocol/messages.js";

/** The call that an error is about. */
export interface CallSite {
  readonly plugin: string;
  /** The network type. */
  readonly driver: string;
  readonly method: string;
}

/** The same, for an error that does not depend on the method. */
type ServiceSite = Omit<CallSite, "method">;

/** Adds to a `DriverError` the plugin, type and method that it does not name. Other values are returned unchanged. */
export function withSite(error: unknown, site: CallSite): unknown {
  if (!(error instanceof DriverError)) return error;
  const { plugin = site.plugin, driver = site.driver, method = site.method } = error;
  if (plugin === error.plugin && driver === error.driver && method === error.method) return error;
  return error.with({ plugin, driver, method });
}

/**
 * Rethrows a call's error with a stack of the plugin's frames and those of the caller that awaits it: the error was created when a message
 * arrived, far from both. Must run as a rejection handler of the promise that the caller gets, since V8 finds the caller through it.
 */
export function rejectedAtCaller(error: unknown): never {
  if (error instanceof DriverError) {
    Error.captureStackTrace(error, rejectedAtCaller);
    const { plugin, pluginStack, stack = "" } = error;
    const head = String(error);
    if (pluginStack !== undefined && stack.startsWith(head)) {
      // Marked as the plugin's, which can write anything into a stack.
      const frames = pluginStack.split("\n").map((frame) => `    in plugin "${plugin}": ${frame.trim()}`);
      error.stack = [head, ...frames].join("\n") + stack.slice(head.length);
    }
  }
  throw error;
}

/**
 * Returns the host's error for what a driver threw. Keeps its code only if a driver may use that code, and its kind only if
 * it is one of libnetwork's. Its texts may go to terminals and logs: each is made one line, with control characters escaped.
 */
export function driverThrew(thrown: ThrownValue, site: CallSite): DriverError {
  const pluginStack = framesOf(thrown)?.join("\n");
  const cause = causeOf(thrown);
  const details = { ...site, file: thrown.file && oneLine(thrown.file), line: thrown.line, pluginStack, cause };
  const message = oneLine(thrown.message);
  if (isErrorCode(thrown.code) && isDriverThrowable(thrown.code)) return new DriverError(thrown.code, message, details);
  const kind = isErrorKind(thrown.kind) ? thrown.kind : undefined;
  return new DriverError("ERR_DRIVER_FAILED", message || oneLine(thrown.name), { ...details, kind });
}

/**
 * Returns the plugin error's cause as a plain error: an AggregateError of its `errors` if it has any, else its `cause`.
 */
function causeOf(thrown: ThrownValue): Error | undefined {
  if (thrown.errors !== undefined)
    return new AggregateError(
      thrown.errors.map(plainError),
      oneLine(thrown.message),
      thrown.cause === undefined ? undefined : { cause: plainError(thrown.cause) },
    );
  return thrown.cause === undefined ? undefined : plainError(thrown.cause);
}

/** Returns a plain error with the plugin's stack, in the author's files and lines. */
function plainError(thrown: ThrownValue): Error {
  const cause = causeOf(thrown);
  const error = new Error(oneLine(thrown.message), cause === undefined ? undefined : { cause });
  const name = oneLine(thrown.name);
  const stack = [`${name}: ${error.message}`, ...(framesOf(thrown) ?? [])].join("\n");
  return Object.assign(error, { name, stack, ...(thrown.code === undefined ? {} : { code: oneLine(thrown.code) }) });
}

/** Most lines of a stack that an honest worker sends. */
const STACK_LINES = 200;

/** Returns the lines of a plugin's stack, each escaped and cut. */
export function framesOf({ stack }: Pick<ThrownValue, "stack">): string[] | undefined {
  return stack?.split("\n", STACK_LINES).map(oneLine);
}

/** Returns true for the reply that counts as success of an inverse or repeated call. */
export function isNotFound(thrown: ThrownValue): boolean {
  if (isErrorCode(thrown.code) && isDriverThrowable(thrown.code)) return thrown.code.endsWith("_NOT_FOUND");
  return thrown.kind === "NotFound";
}

export function timedOut(ms: number, site: CallSite): DriverError {
  return new DriverError("ERR_DRIVER_TIMEOUT", `${text(site)} was not answered within ${ms} ms`, site);
}

export function busy(site: CallSite, why: string): DriverError {
  return new DriverError("ERR_DRIVER_BUSY", `${text(site)} never started: ${why}; try again`, site);
}

export function outcomeUnknown(site: CallSite, why: string): DriverError {
  return new DriverError(
    "ERR_OUTCOME_UNKNOWN",
    `${text(site)}: its worker ended while the call was in flight (${why}); the host undoes or completes it, then try again`,
    site,
  );
}

export function notJournalled(ms: number, site: CallSite): DriverError {
  return new DriverError(
    "ERR_JOURNAL_FAILED",
    `${text(site)}: its outcome could not be written to the data folder within ${ms} ms; check its disk`,
    site,
  );
}

/** Returns the error for a call that its caller aborted. The cause is the caller's reason, `signal.reason`. */
export function aborted(site: CallSite, signal: AbortSignal | undefined): DriverError {
  const cause: unknown = signal?.reason;
  return new DriverError("ERR_CALL_ABORTED", `${text(site)} was aborted by its caller`, { ...site, cause });
}

export function hostClosed(site: ServiceSite & { readonly method?: string }): DriverError {
  return new DriverError("ERR_HOST_CLOSED", `${text(site)}: the host is closed`, site);
}

export function unregistered(site: ServiceSite): DriverError {
  return new DriverError("ERR_DRIVER_NOT_FOUND", `no driver of type "${site.driver}" is registered any more`, site);
}

/** Codes for a plugin that is out of service: by its crashes, or on an operator's word. */
export type OutOfService = "ERR_PLUGIN_UNAVAILABLE" | "ERR_PLUGIN_STOPPED" | "ERR_PLUGIN_QUARANTINED";

export function unavailable(site: ServiceSite, why: string, code: OutOfService): DriverError {
  return new DriverError(code, `plugin "${site.plugin}" is not in service: ${why}`, site);
}

/** Returns the error for a reply that the contract does not allow; `rollback` says whether the call was undone. */
export function badReply(cause: unknown, rollback: string, site: CallSite): DriverError {
  const what = messageOf(cause);
  const words = oneLine(`driver "${site.driver}": ${site.method}: ${what}${rollback}`);
  return new DriverError("ERR_DRIVER_REPLY", words, { ...site, cause });
}

/**
 * Returns the error for a reply that could not be checked, since the host could not read its own network: the driver is not at
 * fault.
 */
export function hostUnreadable(cause: unknown, rollback: string, site: CallSite): DriverError {
  const why = oneLine(messageOf(cause));
  return new DriverError(
    "ERR_NETLINK_FAILED",
    `${text(site)}: the host could not read its own network (${why})${rollback}; run "ip address" there to see why`,
    { ...site, cause },
  );
}

/** Escapes a plugin's text for use in a message of ours. */
export function oneLine(words: string): string {
  return escapeLine(words, LIMITS.messageChars);
}

function text({ driver, method }: ServiceSite & { readonly method?: string }): string {
  return `driver "${driver}"${method === undefined ? "" : `: ${method}`}`;
}
