/** Rewrites errors in the words of the engine's own drivers, with a remedy. The engine's user reads them after `remote:`. */
import { DriverError } from "../driverapi/errors.js";
import type { TypeView } from "../host/type-view.js";
import { conflictingPorts, type Holder, holdersOfPorts } from "./conflicts.js";
import { readContainers } from "./engine-containers.js";
import type { Protocol, WantedPort } from "./port-map.js";

/** The text before the reason, such as `firewall.publish is refused by rule "taken": `. */
const REFUSED = /(?:firewall|netlink|traffic)\.\w+ is refused by rule "([\w-]+)": /;
/** The port in a refusal, as rules and their keys write it. */
const PORT = /\bport (?<port>\d+)\/(?<protocol>tcp|udp|sctp)\b/;
/** The process that uses it, if the firewall could find it. */
const IN_USE = /\bis in use by (process .+? \(pid \d+\));/;
const BY_ANOTHER = "by a program on this host (ss -lnp shows which)";

/** Returns the same error, worded for the engine's user. `wanted`: the requested ports. */
export async function engineError(
  error: unknown,
  view: TypeView,
  wanted: readonly WantedPort[],
  engine: string | undefined,
): Promise<unknown> {
  if (!(error instanceof DriverError)) return error;
  const [refusal, rule] = REFUSED.exec(error.message) ?? [];
  if (refusal === undefined) return error;
  const why = error.message.slice(error.message.indexOf(refusal) + refusal.length);
  if (rule === "taken" || rule === "listener") return reworded(error, await taken(why, view, wanted, engine));
  if (rule === "port") {
    const words = `this port may not be published here: ${why}; publish another, or have the "ports" of plugin "${view.plugin}" widened in the policy`;
    return reworded(error, words);
  }
  return reworded(error, error.message.replace(refusal, ""));
}

/** Describes a holder as `container web (network front)`, or by its ids if the engine does not reply or does not know it. */
export async function describeHolder({ nid, endpoint }: Holder, engine: string | undefined): Promise<string> {
  if (endpoint.byHand)
    return `endpoint ${endpoint.eid} (network ${short(nid)}), which an operator made by bulkhead call`;
  const end = (await readContainers(engine)).get(endpoint.eid);
  if (end) return `container ${end.container} (network ${end.network})`;
  return `the container with endpoint ${short(endpoint.eid)} (network ${short(nid)})`;
}

async function taken(
  why: string,
  view: TypeView,
  wanted: readonly WantedPort[],
  engine: string | undefined,
): Promise<string> {
  const port = portOf(why, wanted);
  if (!port) return `Bind failed: port is already allocated: ${why}`;
  const ports = conflictingPorts(await view.published(), [port]);
  const [holder] = holdersOfPorts(view, ports);
  const [other] = ports;
  const holderText = holder
    ? `by ${await describeHolder(holder, engine)}`
    : other
      ? `by a network of plugin "${other.plugin}"`
      : byProgram(why);
  const address = port.hostIP.includes(":") ? `[${port.hostIP}]` : port.hostIP || "0.0.0.0";
  return `Bind for ${address}:${port.from} failed: port is already allocated ${holderText}; stop that, or publish another port`;
}

/** Returns the host port that a refusal is about. */
function portOf(why: string, wanted: readonly WantedPort[]): WantedPort | undefined {
  const groups = PORT.exec(why)?.groups;
  if (groups === undefined) return wanted[0];
  const protocol = groups.protocol as Protocol;
  const port = Number(groups.port);
  const hostIP = wanted.find((one) => one.protocol === protocol && port >= one.from && port <= one.to)?.hostIP ?? "";
  return { protocol, hostIP, from: port, to: port };
}

function byProgram(why: string): string {
  const [, program] = IN_USE.exec(why) ?? [];
  return program === undefined ? BY_ANOTHER : `by ${program}`;
}

/** Shortens an id as engines do. */
export function short(id: string): string {
  return id.slice(0, 12);
}

function reworded(error: DriverError, message: string): DriverError {
  const { code, kind, plugin, driver, method } = error;
  return new DriverError(code, message, { kind, plugin, driver, method, cause: error });
}
