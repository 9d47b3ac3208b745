/** Errors in CNI's form. */
import { escapeLine } from "../common/escape.js";
import { messageOf } from "../common/text.js";
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import { CNI_ERRORS, type CniError, type CniErrorCode } from "./versions.js";

/** A request that is refused, with a code of the specification. */
export class CniFailure extends Error {
  readonly code: CniErrorCode;
  readonly details: string | undefined;

  constructor(code: keyof typeof CNI_ERRORS, message: string, details?: string) {
    super(message);
    this.code = CNI_ERRORS[code];
    this.details = details;
  }
}

/** Our codes that correspond to one of the specification. A runtime does not clean up after `containerUnknown`. */
const CODES: Readonly<Partial<Record<ErrorCode, CniErrorCode>>> = {
  ERR_SANDBOX_NOT_FOUND: CNI_ERRORS.containerUnknown,
  ERR_INTERFACE_NAME: CNI_ERRORS.environment,
  ERR_NETWORK_EXISTS: CNI_ERRORS.config,
};

/** Longest text of an error, in UTF-16 units. */
const TEXT = 4_096;

/** Returns the body of an error. Throws `error` if it is a fault of the daemon. */
export function cniErrorOf(error: unknown, cniVersion: string): CniError {
  if (error instanceof CniFailure) {
    const details = error.details === undefined ? {} : { details: escapeLine(error.details, TEXT) };
    return { cniVersion, code: error.code, msg: escapeLine(error.message, TEXT), ...details };
  }
  if (!(error instanceof DriverError)) throw error;
  const passing = error.retry || error.kind === "NoService" || error.kind === "Timeout";
  const wrong = error.kind === "BadRequest" ? CNI_ERRORS.config : CNI_ERRORS.refused;
  const code = CODES[error.code] ?? (passing ? CNI_ERRORS.tryAgain : wrong);
  const where = [error.code, error.plugin === undefined ? "" : `plugin ${error.plugin}`].filter((one) => one !== "");
  return { cniVersion, code, msg: escapeLine(messageOf(error), TEXT), details: where.join(", ") };
}
