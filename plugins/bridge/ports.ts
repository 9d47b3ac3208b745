/** Docker's port map, as it comes with an endpoint's options and goes out with its operational info. */
import { fail, type Json, type JsonObject, type PublishSpec, quote } from "bulkhead/plugin";
import { parseAddress } from "bulkhead/plugin/addressing";

/** A port to be published. */
export interface PortRequest {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** The endpoint's own port. */
  readonly port: number;
  /** "" for every address of the host's; "0.0.0.0" and "::" for those of one family. */
  readonly hostIP: string;
  /** The host's port, or the first and last of those that would do; 0: whichever is free. */
  readonly from: number;
  readonly to: number;
}

/** A port that is published. */
export interface Binding extends Omit<PublishSpec, "bridge" | "hostIP"> {
  /** "" for every address of the host's. */
  readonly hostIP: string;
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

/** An address of the host's, or the wildcard of one family; undefined where none is named. Throws BadRequest. */
export function hostOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" && parseAddress(value)) return value;
  return fail("BadRequest", `HostIP ${quote(value)} is not an address`);
}

/** True where no single address of the host's is meant. */
export function isWildcard(hostIP: string): boolean {
  return hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
}

/** True when a port of one host's address and the same port of the other cannot both be published. */
export function hostsConflict(a = "", b = ""): boolean {
  return isWildcard(a) || isWildcard(b) || a === b;
}

/** Where Linux chooses ports for its own connections: nobody expects a service there. */
const EPHEMERAL = { from: 32_768, to: 60_999 } as const;

/**
 * The ports of the host's to try for a request, in order. `before`: the one it has; `granted`: ranges, `8000-8999`; `used`: those
 * that would be refused. A port that is left open is an ephemeral one where such are granted, as an engine chooses it.
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

/** A request as engines write it: `0.0.0.0:8080`, `[::1]:8000-8010`. */
export function bindText({ hostIP, from, to }: PortRequest): string {
  const host = hostIP.includes(":") ? `[${hostIP}]` : hostIP || "0.0.0.0";
  return `${host}:${from}${to > from ? `-${to}` : ""}`;
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

function protocolOf(value: Json | undefined): PortRequest["protocol"] {
  const found = Object.entries(NUMBERS).find(([name, number]) => value === number || value === name);
  return (
    (found?.[0] as PortRequest["protocol"] | undefined) ??
    fail("BadRequest", `Proto ${quote(value)} is none of 6, 17 and 132`)
  );
}

function portOf(key: string, value: Json | undefined, least: number): number {
  const port = value ?? 0;
  if (typeof port === "number" && Number.isInteger(port) && port >= least && port <= 65_535) return port;
  return fail("BadRequest", `${key} ${quote(value)} must be a whole number from ${least} to 65535`);
}
