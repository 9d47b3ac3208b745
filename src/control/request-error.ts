/** A request that is refused before anything is done, and the body of every error's reply. */
import type { z } from "../common/zod.js";
import { DriverError, type ErrorCode } from "../driverapi/errors.js";
import type { ErrorBody } from "./types.js";

export class RequestError extends DriverError {
  /** The part of the request that is wrong. */
  readonly field: string | undefined;

  constructor(message: string, field?: string, code: ErrorCode = "ERR_CONTROL_REQUEST") {
    super(code, message);
    this.field = field;
  }
}

/** Returns what `schema` reads in a part of a request (`where`: params, query, body). Throws `RequestError`. */
export function read<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const keys = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const field = [where, ...(issue?.path ?? []), ...keys].join(".");
  throw new RequestError(`${field}: ${issue?.message ?? "it does not parse"}`, field);
}

export function errorBodyOf(error: DriverError): ErrorBody {
  const { code, message, plugin } = error;
  const field = error instanceof RequestError ? error.field : undefined;
  return { code, message, ...(plugin === undefined ? {} : { plugin }), ...(field === undefined ? {} : { field }) };
}
