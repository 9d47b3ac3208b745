/** The one error class: a code of the table in error-codes.ts, libnetwork's kind (`types.*Error`), and how a caller may react. */
import { ERROR_CODES, type ErrorCode } from "./error-codes.js";

export type { ErrorCode } from "./error-codes.js";

/** libnetwork's error kinds and the HTTP status each has there. */
export const ERROR_STATUS = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  Timeout: 408,
  NotImplemented: 501,
  NoService: 503,
  Internal: 500,
} as const;

/** One of libnetwork's error kinds. */
export type ErrorKind = keyof typeof ERROR_STATUS;

interface CodeRow {
  readonly kind: ErrorKind;
  /** When it occurs. Printed in the documentation. */
  readonly when: string;
  /** The caller may ignore it (libnetwork's `MaskableError`). */
  readonly maskable?: true;
  /** The same call may be tried again (libnetwork's `RetryError`). */
  readonly retry?: true;
  /** A driver may throw it itself and have the code passed on. */
  readonly driver?: true;
  /** The host terminates the plugin's worker with it: audited as killed, not as crashed. */
  readonly killed?: true;
}

/** What an error may carry besides its code and message. */
export interface ErrorDetails {
  readonly plugin?: string | undefined;
  /** The network type. */
  readonly driver?: string | undefined;
  readonly method?: string | undefined;
  readonly cause?: unknown;
  /** Only with `ERR_DRIVER_FAILED`: the kind the driver itself gave. */
  readonly kind?: ErrorKind | undefined;
  /** The author's file, relative to the plugin's folder, where there is one. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  /** For an `ERR_DRIVER_FAILED`: the plugin's own stack, mapped to its sources. */
  readonly pluginStack?: string | undefined;
}

/** The one error class. `code` is stable, `kind` is libnetwork's, `status` its HTTP status. */
export class DriverError extends Error {
  override readonly name: string = "DriverError";
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly status: number;
  readonly maskable: boolean;
  readonly retry: boolean;
  readonly plugin: string | undefined;
  readonly driver: string | undefined;
  readonly method: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly pluginStack: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const row: CodeRow = ERROR_CODES[code];
    this.code = code;
    this.kind = details.kind ?? row.kind;
    this.status = ERROR_STATUS[this.kind];
    this.maskable = row.maskable === true;
    this.retry = row.retry === true;
    this.plugin = details.plugin;
    this.driver = details.driver;
    this.method = details.method;
    this.file = details.file;
    this.line = details.line;
    this.pluginStack = details.pluginStack;
  }

  /** Returns a copy that says more about where it happened. */
  with(details: ErrorDetails): DriverError {
    const copy = new DriverError(this.code, this.message, { ...this, cause: this.cause, ...details });
    return Object.assign(copy, { stack: this.stack });
  }

  /** A plain object for logs and `--json`. */
  toJSON(): Record<string, unknown> {
    const { code, kind, status, message, maskable, retry, plugin, driver, method, file, line } = this;
    return { code, kind, status, message, maskable, retry, plugin, driver, method, file, line };
  }
}

/** True for a code in the table. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}

/** True for one of libnetwork's kinds. */
export function isErrorKind(value: unknown): value is ErrorKind {
  return typeof value === "string" && Object.hasOwn(ERROR_STATUS, value);
}

/** True for a code a driver may throw itself; all others would be forgeries of the host's words. */
export function isDriverThrowable(code: ErrorCode): boolean {
  const row: CodeRow = ERROR_CODES[code];
  return row.driver === true;
}

/** True for a code with which the host terminates a plugin's worker. */
export function isKill(code: ErrorCode): boolean {
  const row: CodeRow = ERROR_CODES[code];
  return row.killed === true;
}
