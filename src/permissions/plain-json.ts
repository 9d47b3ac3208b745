/** In the worker: copies a plugin's value as JSON, so that what is sent is what was checked. */
import { copyJson, type Json, JsonError } from "../driverapi/json.js";
import { LIMITS } from "../protocol/limits.js";
import { wrongArgument } from "./refusal.js";

/** The bounds of one value. */
export interface PlainBounds {
  readonly depth: number;
  /** UTF-16 units of its texts. */
  readonly chars: number;
  /** Default: `LIMITS.jsonNodes`. */
  readonly nodes?: number;
}

/** Copies a value; `what` names it: "store.put: the value". Throws `ERR_PERMISSION_ARGUMENT` if it is not plain JSON, or exceeds a bound. */
export function plainJson(what: string, value: unknown, { depth, chars, nodes = LIMITS.jsonNodes }: PlainBounds): Json {
  try {
    return copyJson(value, { depth, nodes, chars });
  } catch (error) {
    throw wrongArgument(`${what} must be plain JSON${error instanceof JsonError ? `: ${error.message}` : ""}`);
  }
}

/** Copies one argument of a method such as `netlink.createLink`; an absent one is null. Throws as `plainJson` does. */
export function plainArgument(method: string, value: unknown, bounds: PlainBounds): Json {
  return value === undefined ? null : plainJson(`${method}: its arguments`, value, bounds);
}
