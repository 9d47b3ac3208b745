/** Errors of driver calls, in one place: how each is worded and what it carries. */
import { DriverError, isDriverThrowable, isErrorCode, isErrorKind } from "../../driverapi/errors.js";
import { escapeLine } from "../../permissions/log/escape.js";
import { LIMITS } from "../../protocol/limits.js";
import type { ThrownValue } from "../../protocol/messages.js";

/** Whom an error is about. */
export interface CallSite {
  readonly plugin: string;
  /** The network type. */
  readonly driver: string;
  readonly method: string;
}

/** The same, where one answer holds for whatever is called. */
type ServiceSite = Omit<CallSite, "method">;

/** The same error, with what it does not say itself of where it happened. What is no `DriverError` stays what it is. */
export function placed(error: unknown, site: CallSite): unknown {
  if (!(error instanceof DriverError)) return error;
  const { plugin = site.plugin, driver = site.driver, method = site.method } = error;
  if (plugin === error.plugin && driver === error.driver && method === error.method) return error;
  const { code, message, cause, kind, file, line, pluginStack, stack } = error;
  const copy = new DriverError(code, message, { plugin, driver, method, cause, kind, file, line, pluginStack });
  return Object.assign(copy, { stack });
}

/**
 * What a driver threw. Its code is kept only where a driver may give it; its kind only where it is libnetwork's. Its words go to
 * terminals and logs that are not ours: one line each, nothing in them that such a thing obeys.
 */
export function driverThrew(thrown: ThrownValue, site: CallSite): DriverError {
  const pluginStack = thrown.stack?.split("\n").map(oneLine).join("\n");
  const cause = causeOf(thrown);
  const details = { ...site, file: thrown.file && oneLine(thrown.file), line: thrown.line, pluginStack, cause };
  const message = oneLine(thrown.message);
  if (isErrorCode(thrown.code) && isDriverThrowable(thrown.code)) return new DriverError(thrown.code, message, details);
  const kind = isErrorKind(thrown.kind) ? thrown.kind : undefined;
  return new DriverError("ERR_DRIVER_FAILED", message || oneLine(thrown.name), { ...details, kind });
}

/** What a plugin's error says is below it: its `cause`, else an AggregateError of its `errors`; as plain errors of the host's. */
function causeOf(thrown: ThrownValue): Error | undefined {
  if (thrown.errors !== undefined)
    return new AggregateError(
      thrown.errors.map(plainError),
      oneLine(thrown.message),
      thrown.cause === undefined ? undefined : { cause: plainError(thrown.cause) },
    );
  return thrown.cause === undefined ? undefined : plainError(thrown.cause);
}

/** Its stack is the plugin's, with the author's files and lines. */
function plainError(thrown: ThrownValue): Error {
  const cause = causeOf(thrown);
  const error = new Error(oneLine(thrown.message), cause === undefined ? undefined : { cause });
  const name = oneLine(thrown.name);
  const stack = [`${name}: ${error.message}`, ...(thrown.stack?.split("\n").map(oneLine) ?? [])].join("\n");
  return Object.assign(error, { name, stack, ...(thrown.code === undefined ? {} : { code: oneLine(thrown.code) }) });
}

/** True for the answer that an inverse or repeated call takes for done. */
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
    `${text(site)}: the data folder did not take what became of it within ${ms} ms; look at its disk`,
    site,
  );
}

/** The caller's reason, `signal.reason`, is the cause. */
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

export function unavailable(site: ServiceSite, why: string): DriverError {
  return new DriverError("ERR_PLUGIN_UNAVAILABLE", `plugin "${site.plugin}" is not in service: ${why}`, site);
}

/** A reply the contract does not allow; `rollback` says what became of undoing it. */
export function badReply(cause: unknown, rollback: string, site: CallSite): DriverError {
  const what = cause instanceof Error ? cause.message : String(cause);
  const words = oneLine(`driver "${site.driver}": ${site.method}: ${what}${rollback}`);
  return new DriverError("ERR_DRIVER_REPLY", words, { ...site, cause });
}

/** The host could not look at its own network, by which the reply is judged; the driver has no part in it. */
export function hostUnseen(cause: unknown, rollback: string, site: CallSite): DriverError {
  const why = oneLine(cause instanceof Error ? cause.message : String(cause));
  return new DriverError(
    "ERR_NETLINK_FAILED",
    `${text(site)}: the host could not look at its own network (${why})${rollback}; see what keeps "ip address" from answering there`,
    { ...site, cause },
  );
}

/** A plugin's words as part of a message of ours. */
export function oneLine(words: string): string {
  return escapeLine(words, LIMITS.messageChars);
}

function text({ driver, method }: ServiceSite & { readonly method?: string }): string {
  return `driver "${driver}"${method === undefined ? "" : `: ${method}`}`;
}
