/** Docker's port map: read from an endpoint's options, and returned in its operational info. */
import { fail, type Json, type JsonObject, type PublishSpec, quote } from "bulkhead/plugin";
import { parseAddress } from "bulkhead/plugin/addressing";

/** A request to publish a port. */
export interface PortRequest {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** The endpoint's own port. */
  readonly port: number;
  /** A host address; "" for all, "0.0.0.0" and "::" for those of one family. */
  readonly hostIP: string;
  /** The first and last host port that will do; 0: any. */
  readonly from: number;
  readonly to: number;
}

/** A published port. */
export interface Binding extends Omit<PublishSpec, "bridge" | "hostIP"> {
  /** A host address; "" for all. */
  readonly hostIP: string;
}

export const PORT_MAP = "com.docker.network.portmap";
export const EXPOSED_PORTS = "com.docker.network.endpoint.exposedports";

/** IP protocol numbers. */
const NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const;

/** The most ports that an endpoint can publish. */
const MOST = 256;

/**
 * Reads `com.docker.network.portmap`, `[{ Proto, Port, HostIP, HostPort, HostPortEnd }]`. `hostIP`: for entries without one.
 * Throws BadRequest.
 */
export function readPortMap(options: JsonObject, hostIP: string): readonly PortRequest[] {
  const given = options[PORT_MAP] ?? [];
  if (!Array.isArray(given) || given.length > MOST)
    fail("BadRequest", `option ${PORT_MAP} must be a list of at most ${MOST} ports, not ${quote(given)}`);
  return (given as readonly Json[]).map((entry) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      fail("BadRequest", `option ${PORT_MAP} must hold objects, not ${quote(entry)}`);
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

/** Reads a host address or a wildcard; undefined if none is named. Throws BadRequest. */
export function hostOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" && parseAddress(value)) return value;
  return fail("BadRequest", `HostIP ${quote(value)} is not an address`);
}

/** Returns true for a wildcard: every host address, of one family or both. */
export function isWildcard(hostIP: string): boolean {
  return hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}

/** Returns true if the same port cannot be published on both host addresses. */
export function hostsConflict(a = "", b = ""): boolean {
  return isWildcard(a) || isWildcard(b) || a === b;
}

/** The range from which Linux chooses the ports of outgoing connections. */
const EPHEMERAL = { from: 32_768, to: 60_999 } as const;

/**
 * Yields the host ports to try, in order: `before`, the one that the endpoint has; then those requested, or, if any will do, those
 * `granted` (ranges, `8000-8999`) and not `used`, ephemeral ones first, as an engine chooses.
 */
export function* candidates(
  { from, to }: PortRequest,
  before: number | undefined,
  granted: readonly string[],
  used: ReadonlySet<number>,
): Generator<number> {
  if (before !== undefined) yield before;
  if (from !== 0) {
    for (let port = from; port <= to; port++) if (port !== before) yield port;
    return;
  }
  const ranges = granted.map((range) => {
    const [low = 0, high = low] = range.split("-").map(Number);
    return { low, high };
  });
  const ephemeral = ranges.map(({ low, high }) => ({
    low: Math.max(low, EPHEMERAL.from),
    high: Math.min(high, EPHEMERAL.to),
  }));
  for (const { low, high } of [...ephemeral, ...ranges])
    for (let port = low; port <= high; port++) if (!used.has(port)) yield port;
}

/** Formats a request as engines do: `0.0.0.0:8080`, `[::1]:8000-8010`. */
export function bindText({ hostIP, from, to }: PortRequest): string {
  const host = hostIP.includes(":") ? `[${hostIP}]` : hostIP || "0.0.0.0";
  return `${host}:${from}${to > from ? `-${to}` : ""}`;
}

/** Returns the port map of published ports, in the form of Docker's bridge driver. */
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

function protocolOf(value: Json | undefined): PortRequest["protocol"] {
  const found = Object.entries(NUMBERS).find(([name, number]) => value === number || value === name);
  return (
    (found?.[0] as PortRequest["protocol"] | undefined) ??
    fail("BadRequest", `Proto ${quote(value)} must be 6 (tcp), 17 (udp) or 132 (sctp)`)
  );
}

function portOf(key: string, value: Json | undefined, least: number): number {
  const port = value ?? 0;
  if (typeof port === "number" && Number.isInteger(port) && port >= least && port <= 65_535) return port;
  return fail("BadRequest", `${key} ${quote(value)} must be a whole number from ${least} to 65535`);
}
