/** `traffic`, in the worker: every call of `powers.traffic` is one request to the host half, which does all checks. */
import type { Json } from "../../driverapi/json.js";
import type { Endowment, HostPort } from "../permission.js";
import { plainArgument } from "../plain-json.js";
import type { TrafficLimits } from "./grant.js";

/** Bounds of one argument, which no valid one exceeds. */
const ARGUMENT = { depth: 2, chars: 1024 } as const;

/**
 * `powers.traffic`: see `TrafficPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT` (not plain JSON),
 * `ERR_TRAFFIC_REFUSED` (naming the rule) or `ERR_TRAFFIC_FAILED` (the words of tc).
 */
export function endow({ effects }: Pick<TrafficLimits, "effects">, port: HostPort): Endowment {
  const run =
    (method: string, count: number) =>
    async (...args: readonly unknown[]): Promise<void> => {
      const plainArgs = Array.from({ length: count }, (_, at) =>
        plainArgument(`traffic.${method}`, args[at], ARGUMENT),
      );
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
