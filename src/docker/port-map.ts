/** Reads Docker's port map from a request: the host ports that an endpoint wants. Skips entries that are not valid. */

import { isJsonObject, type Json, type JsonObject } from "../driverapi/json.js";
import type { PublishedPort } from "../host/type-view.js";

/** Its key in the options. */
const PORT_MAP = "com.docker.network.portmap";

/** A host port that an endpoint wants, or any free one of a range. */
export interface WantedPort {
  readonly protocol: Protocol;
  /** "" for all addresses of the host. */
  readonly hostIP: string;
  readonly from: number;
  readonly to: number;
}

export type Protocol = PublishedPort["protocol"];

/** By IP protocol number, and by name. */
const PROTOCOLS: ReadonlyMap<unknown, Protocol> = new Map<unknown, Protocol>([
  [6, "tcp"],
  [17, "udp"],
  [132, "sctp"],
  ["tcp", "tcp"],
  ["udp", "udp"],
  ["sctp", "sctp"],
]);

/** Returns the ports that are named; leaves out those that the driver chooses. */
export function wantedPorts(options: JsonObject): readonly WantedPort[] {
  const map = options[PORT_MAP];
  return Array.isArray(map) ? map.flatMap(wantedPort) : [];
}

/** Returns whether options ask for any port. */
export function hasPorts(options: JsonObject): boolean {
  const map = options[PORT_MAP];
  return Array.isArray(map) && map.length > 0;
}

/** Returns the options without the port map. */
export function withoutPorts(options: JsonObject): JsonObject {
  const { [PORT_MAP]: _, ...rest } = options;
  return rest;
}

function wantedPort(entry: Json): readonly WantedPort[] {
  if (!isJsonObject(entry)) return [];
  const protocol = PROTOCOLS.get(entry.Proto);
  const hostIP = entry.HostIP ?? "";
  const from = portOf(entry.HostPort);
  const to = portOf(entry.HostPortEnd);
  if (protocol === undefined || typeof hostIP !== "string" || !from || to === undefined) return [];
  return [{ protocol, hostIP: isWildcard(hostIP) ? "" : hostIP, from, to: Math.max(from, to) }];
}

/** Returns 0 for a port that is not named, and undefined for what is not a port. */
function portOf(value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return 0;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535 ? value : undefined;
}

function isWildcard(hostIP: string): boolean {
  return hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}
