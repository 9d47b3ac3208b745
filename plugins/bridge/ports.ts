/** Docker's port map, as it comes with an endpoint's options and goes out with its operational info. */
import type { Json, JsonObject } from "bulkhead/plugin";
import { parseAddress } from "./addresses.ts";
import { badRequest, quote } from "./errors.ts";
import type { Binding } from "./gates.ts";

/** A port to be published. */
export interface PortWish {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** The endpoint's own port. */
  readonly port: number;
  /** "" for every address of the host's; "0.0.0.0" and "::" for those of one family. */
  readonly hostIP: string;
  /** The host's port, or the first and last of those that would do; 0: whichever is free. */
  readonly from: number;
  readonly to: number;
}

export const PORT_MAP = "com.docker.network.portmap";
export const EXPOSED_PORTS = "com.docker.network.endpoint.exposedports";

/** IP's numbers of the protocols. */
const NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const;

/** More ports than this no endpoint publishes. */
const MOST = 256;

/**
 * Reads `com.docker.network.portmap`, `[{ Proto, Port, HostIP, HostPort, HostPortEnd }]`; `hostIP`: where entries name none. Throws
 * BadRequest.
 */
export function readPortMap(options: JsonObject, hostIP: string): readonly PortWish[] {
  const given = options[PORT_MAP] ?? [];
  if (!Array.isArray(given) || given.length > MOST)
    badRequest(`option ${PORT_MAP} must be a list of at most ${MOST} ports, not ${quote(given)}`);
  return (given as readonly Json[]).map((entry) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      badRequest(`option ${PORT_MAP} must hold objects, not ${quote(entry)}`);
    const { Proto, Port, HostIP, HostPort, HostPortEnd } = entry as JsonObject;
    const from = portOf("HostPort", HostPort, 0);
    return {
      protocol: protocolOf(Proto),
      port: portOf("Port", Port, 1),
      hostIP: hostOf(HostIP) ?? hostIP,
      from,
      to: Math.max(from, portOf("HostPortEnd", HostPortEnd, 0)),
    };
  });
}

/** An address of the host's, or the wildcard of one family; undefined where none is named. Throws BadRequest. */
export function hostOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" && parseAddress(value)) return value;
  return badRequest(`HostIP ${quote(value)} is no address`);
}

/** True where no single address of the host's is meant. */
export function isWildcard(hostIP: string): boolean {
  return hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}

/** The port map with what became of it, as Docker's bridge shows it. */
export function portMapOf(bindings: readonly Binding[]): Json {
  return bindings.map(({ protocol, ip, port, hostIP, hostPort }) => ({
    Proto: NUMBERS[protocol],
    IP: ip,
    Port: port,
    HostIP: hostIP || (ip.includes(":") ? "::" : "0.0.0.0"),
    HostPort: hostPort,
    HostPortEnd: hostPort,
  }));
}

function protocolOf(value: Json | undefined): PortWish["protocol"] {
  const found = Object.entries(NUMBERS).find(([name, number]) => value === number || value === name);
  return (
    (found?.[0] as PortWish["protocol"] | undefined) ?? badRequest(`Proto ${quote(value)} is none of 6, 17 and 132`)
  );
}

function portOf(key: string, value: Json | undefined, least: number): number {
  const port = value ?? 0;
  if (typeof port === "number" && Number.isInteger(port) && port >= least && port <= 65_535) return port;
  return badRequest(`${key} ${quote(value)} must be a whole number from ${least} to 65535`);
}
