/** `traffic`, on the host's side: reads one plugin's requests, and passes them to the hub, which judges them. */
import type { Json } from "../../driverapi/json.js";
import type { HostPower, PowerMethod } from "../permission.js";
import { parseRequest, TRAFFIC_OPS, type TrafficRequest } from "./request.js";

/** What `createTrafficPower` needs. */
export interface TrafficPowerOptions {
  readonly plugin: string;
  /** Judges and carries out. Rejects with `ERR_TRAFFIC_REFUSED`, `ERR_TRAFFIC_FAILED`, `ERR_PERMISSION_LIMIT`. */
  ask(request: TrafficRequest): Promise<Json>;
  close(): void;
}

/**
 * Serves `traffic.shape [link, shape]`, `traffic.check [shape]` (null) and `traffic.shapes []` (the shapes). Shapes outlive the power,
 * and end with their links.
 */
export function createTrafficPower({ plugin, ask, close }: TrafficPowerOptions): HostPower {
  const methods = TRAFFIC_OPS.map((op): readonly [string, PowerMethod] => [
    `traffic.${op}`,
    async (args) => ask(parseRequest(plugin, op, args)),
  ]);
  return { methods: new Map(methods), close };
}
