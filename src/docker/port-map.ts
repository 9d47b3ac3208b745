/** Docker's port map as it comes with a request: which ports of the host's an endpoint wants. What cannot be read wants nothing here. */

import { z } from "../common/zod.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import type { PublishedPort } from "../host/type-view.js";

/** Docker's key of it. */
const PORT_MAP = "com.docker.network.portmap";

/** Ports of the host's that an endpoint wants: one, or whichever of a range is free. */
export interface WantedPort {
  readonly protocol: Protocol;
  /** "" for every address of the host's. */
  readonly hostIP: string;
  readonly from: number;
  readonly to: number;
}

export type Protocol = PublishedPort["protocol"];

/** IP's numbers of the protocols. */
const NUMBERS: Readonly<Record<number, Protocol>> = { 6: "tcp", 17: "udp", 132: "sctp" };

const port = z.int().min(0).max(65_535).nullish();
const entrySchema = z.object({
  Proto: z.union([z.int(), z.enum(["tcp", "udp", "sctp"])]),
  HostIP: z.string().nullish(),
  HostPort: port,
  HostPortEnd: port,
});

/** Those that are named; a port that is left to the driver is nobody's yet. */
export function wantedPorts(options: JsonObject): readonly WantedPort[] {
  const map = options[PORT_MAP];
  return Array.isArray(map) ? map.flatMap(wantedPort) : [];
}

/** True where any port is to be published. */
export function hasPorts(options: JsonObject): boolean {
  const map = options[PORT_MAP];
  return Array.isArray(map) && map.length > 0;
}

/** The options without the port map. */
export function withoutPorts(options: JsonObject): JsonObject {
  const { [PORT_MAP]: _, ...rest } = options;
  return rest;
}

function wantedPort(entry: Json): readonly WantedPort[] {
  const read = entrySchema.safeParse(entry);
  if (!read.success) return [];
  const { Proto, HostIP, HostPort, HostPortEnd } = read.data;
  const protocol = typeof Proto === "number" ? NUMBERS[Proto] : Proto;
  const from = HostPort ?? 0;
  if (protocol === undefined || from === 0) return [];
  return [
    { protocol, hostIP: isWildcard(HostIP ?? "") ? "" : (HostIP ?? ""), from, to: Math.max(from, HostPortEnd ?? 0) },
  ];
}

function isWildcard(hostIP: string): boolean {
  return hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}
