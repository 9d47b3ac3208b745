/** Reads Docker's port map from a request: the host ports that an endpoint wants. Skips entries that are not valid. */

import { z } from "../common/zod.js";
import type { Json, JsonObject } from "../driverapi/json.js";
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

/** IP protocol numbers. */
const NUMBERS: Readonly<Record<number, Protocol>> = { 6: "tcp", 17: "udp", 132: "sctp" };

const port = z.int().min(0).max(65_535).nullish();
const entrySchema = z.object({
  Proto: z.union([z.int(), z.enum(["tcp", "udp", "sctp"])]),
  HostIP: z.string().nullish(),
  HostPort: port,
  HostPortEnd: port,
});

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
