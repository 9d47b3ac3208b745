/** `traffic`, in the worker: every call of `powers.traffic` is one request to the host half, which does all checks. */
import { copyJson, type Json, JsonError } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { Endowment, HostPort } from "../permission.js";
import { wrongArgument } from "../refusal.js";
import type { TrafficLimits } from "./grant.js";

/** Longest argument, in UTF-16 units: no valid one is longer. */
const ARGUMENT_CHARS = 1024;

/**
 * `powers.traffic`: see `TrafficPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT` (not plain JSON),
 * `ERR_TRAFFIC_REFUSED` (naming the rule) or `ERR_TRAFFIC_FAILED` (the words of tc).
 */
export function endow({ effects }: Pick<TrafficLimits, "effects">, port: HostPort): Endowment {
  const run =
    (method: string, count: number) =>
    async (...args: readonly unknown[]): Promise<void> => {
      const plainArgs = Array.from({ length: count }, (_, at) => plain(method, args[at]));
      await port.request(`traffic.${method}`, plainArgs);
    };
  return {
    power: {
      effects: [...effects],
      shape: run("shape", 2),
      check: run("check", 1),
      shapes: async (): Promise<Json> => port.request("traffic.shapes", []),
    },
  };
}

/** Copies a plugin's value as JSON, so that what is sent is what was checked. */
function plain(method: string, value: unknown): Json {
  try {
    return value === undefined ? null : copyJson(value, { depth: 2, nodes: LIMITS.jsonNodes, chars: ARGUMENT_CHARS });
  } catch (error) {
    const why = error instanceof JsonError ? `: ${error.message}` : "";
    throw wrongArgument(`traffic.${method}: its arguments must be plain JSON${why}`);
  }
}
