/** What is asked under load: `createEndpoint` as an engine asks it, with 64-character ids and a port map. */
import type { JsonObject } from "../driverapi/json.js";

export interface LoadRequest {
  readonly nid: string;
  readonly eid: string;
  readonly options: JsonObject;
}

/** An id as an engine makes them, 64 hexadecimal digits, out of a number. */
export function loadId(n: number): string {
  return n.toString(16).padStart(64, "0");
}

/** The network that all endpoints are made on. */
export const LOAD_NETWORK: string = loadId(1);

/** The `n`-th request; no two have the same endpoint. */
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
