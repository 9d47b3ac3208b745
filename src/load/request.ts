/** Requests under load: `createEndpoint` as an engine sends it, with 64-character ids and a port map. */
import type { JsonObject } from "../driverapi/json.js";

export interface LoadRequest {
  readonly nid: string;
  readonly eid: string;
  readonly options: JsonObject;
}

/** Returns an id as engines make them, 64 hexadecimal digits, from a number. */
export function loadId(n: number): string {
  return n.toString(16).padStart(64, "0");
}

/** The network of all endpoints. */
export const LOAD_NETWORK: string = loadId(1);

/** Returns the `n`-th request, for an endpoint of its own. */
export function loadRequest(n: number): LoadRequest {
  return {
    nid: LOAD_NETWORK,
    eid: loadId(n + 2),
    options: {
      "com.docker.network.endpoint.exposedports": [{ Proto: 6, Port: 8080 }],
      "com.docker.network.portmap": [
        { Proto: 6, IP: "", Port: 80, HostIP: "0.0.0.0", HostPort: 8080, HostPortEnd: 8080 },
      ],
    },
  };
}
