/** Judges one end: plugin, network, join, links, addresses and routes, each from the host's records and the kernel's own state. */
import { REPLAY } from "../host/limits.js";
import { canonicalIP } from "./address.js";
import type { End, Link, WhyFacts } from "./facts.js";
import { no, skipped, type Verdict, yes } from "./verdict.js";

/** A call in progress for longer is said to hang, in milliseconds. */
const HANGS_MS = 1_000;
/** A deadline that passed within that time counts against the driver, in milliseconds. */
const RECENT_MS = 60_000;

/** The checks of an end, in the order in which they are made: the first that fails is the cause of those after it. */
export function judgeEnd(facts: WhyFacts, end: End, targets: readonly string[]): readonly Verdict[] {
  const { endpoint, network } = end;
  const of = `endpoint ${endpoint.id} on network ${network.id}`;
  const host = [judgePlugin(end), judgeDriver(facts, end), judgeNetwork(end), judgeJoin(end)];
  const named = host.map((one): Verdict => ({ ...one, of }));
  if (named.some(({ holds }) => holds === "no")) return named;
  if (!facts.kernel)
    return [...named, { ...skipped("links", "the host works on a model, which moves no packets"), of }];
  const found = locate(facts, end);
  if ("holds" in found) return [...named, { ...found, of }];
  const kernel = [
    judgeUp(found),
    judgeMaster(facts, end, found),
    judgeAddresses(facts, end, found),
    judgeRoutes(end, targets),
  ];
  return [...named, ...kernel.map((one): Verdict => ({ ...one, of }))];
}

function judgePlugin({ plugin: { id, state, reason }, network }: End): Verdict {
  if (state === "running" || state === "orphaned")
    return yes("plugin", `${id}, which serves ${network.type}, is ${state}`);
  const why = reason === null ? "" : `: ${reason.code}: ${reason.message}`;
  return no("plugin", `plugin ${id}, which serves ${network.type}, is ${state}${why}`, `bulkhead start ${id}`);
}

function judgeDriver({ now }: WhyFacts, { plugin, calls }: End): Verdict {
  const [oldest] = [...calls].sort((a, b) => b.ms - a.ms);
  const about = oldest && [oldest.network, oldest.endpoint].filter((one) => one !== null).join(", ");
  if (oldest && oldest.ms > HANGS_MS)
    return no(
      "driver",
      `${oldest.type}.${oldest.method}(${about}) has been in progress for ${(oldest.ms / 1000).toFixed(1)} s`,
      `bulkhead restart ${plugin.id}`,
    );
  const late = plugin.lastErrors.findLast(({ code, time }) => code === LATE && now - Date.parse(time) < RECENT_MS);
  if (late)
    return no(
      "driver",
      `${late.method ?? "a call"} passed its deadline at ${late.time}: ${late.message}`,
      `bulkhead restart ${plugin.id}`,
    );
  const last = plugin.lastErrors.at(-1);
  const words = last
    ? `; the last error was ${last.code} in ${last.method ?? "its life"} at ${last.time}: ${last.message}`
    : "";
  return yes("driver", `${calls.length} calls in progress, none for long${words}`);
}

const LATE = "ERR_DRIVER_TIMEOUT";

function judgeNetwork({ network, plugin }: End): Verdict {
  const { id, phase, failed, kills } = network;
  if (failed && kills >= REPLAY.quarantineAfter)
    return no(
      "network",
      `network ${id} is quarantined: restoring it ended ${kills} workers: ${failed.message}`,
      `bulkhead reload ${plugin.id}`,
    );
  if (failed)
    return no(
      "network",
      `network ${id} could not be restored: ${failed.code}: ${failed.message}`,
      `bulkhead reload ${plugin.id}`,
    );
  if (phase !== "live") return no("network", `network ${id} is ${phase}`, `bulkhead logs ${plugin.id}`);
  return yes("network", `network ${id} is live`);
}

function judgeJoin({ endpoint, plugin }: End): Verdict {
  const { id, phase, join } = endpoint;
  if (phase !== "live") return no("join", `endpoint ${id} is ${phase}`, `bulkhead logs ${plugin.id}`);
  if (join?.phase !== "live" || join.data === null)
    return no(
      "join",
      `endpoint ${id} is ${join === null ? "not joined to a sandbox" : join.phase}`,
      "start its container",
    );
  return yes("join", `joined to ${join.sandbox}`);
}

/** An end's link, and what it hangs on. */
interface Located {
  readonly link: Link;
  readonly where: string;
  /** The other end of its veth pair, in the host's namespace. */
  readonly peer: Link | undefined;
}

/** Finds the end's link in its sandbox: the host has written its first name into its alias; an engine's may have its MAC alone. */
function locate({ home }: WhyFacts, { endpoint, space }: End): Located | Verdict {
  const where = space?.name ?? "";
  if (space === undefined || space.problem !== undefined)
    return no("sandbox", `the sandbox ${where} cannot be read: ${space?.problem}`, "start its container again");
  const names = (endpoint.join?.data?.names ?? []).map(({ srcName }) => srcName);
  const macs = endpoint.interfaces.map(({ mac }) => mac).filter((mac) => mac !== "");
  const isOurs = ({ alias, mac, name }: Link): boolean =>
    names.some((one) => alias.endsWith(`:${one}`) || name === one) || macs.includes(mac);
  const link = space.links.find(isOurs);
  if (link)
    return { link, where, peer: home.links.find(({ ifindex, kind }) => ifindex === link.peer && kind === link.kind) };
  const behind = home.links.find(({ name }) => names.includes(name));
  const words = behind ? `${behind.name} is still in the host's namespace` : `no link of the host has that name either`;
  return no(
    "link",
    `the sandbox ${where} has no link of this endpoint (${names.join(", ")}): ${words}`,
    "start its container again",
  );
}

function judgeUp({ link, peer, where }: Located): Verdict {
  if (!link.up)
    return no("link", `${link.name} in ${where} is down`, `nsenter --net=${where} ip link set ${link.name} up`);
  if (peer && !peer.up)
    return no("link", `${peer.name}, the host's end of ${link.name}, is down`, `ip link set ${peer.name} up`);
  if (!link.carrier)
    return no(
      "link",
      `${link.name} in ${where} has no carrier: its other end is down or gone`,
      "start its container again",
    );
  return yes("link", `${link.name} in ${where} and ${peer?.name ?? "what it stands on"} are up`);
}

/** Checks that the host's end is a port of the bridge that has the gateway's address, and that the bridge is up. */
function judgeMaster(facts: WhyFacts, end: End, { link, peer }: Located): Verdict {
  if (link.kind !== "veth") return skipped("master", `a ${link.kind ?? "link"} has no port on a bridge`);
  if (!peer)
    return no("master", `the host's end of ${link.name} is not in the host's namespace`, "start its container again");
  const bridge = facts.home.links.find(({ name }) => name === peer.master);
  if (!bridge)
    return no("master", `${peer.name} is not a port of any bridge`, attachFix(peer, gatewayLink(facts, end)));
  const wanted = gatewayLink(facts, end);
  if (wanted && wanted.name !== bridge.name)
    return no(
      "master",
      `${peer.name} is a port of ${bridge.name}, and the gateway is on ${wanted.name}`,
      attachFix(peer, wanted),
    );
  if (!bridge.up) return no("link", `the bridge ${bridge.name} is down`, `ip link set ${bridge.name} up`);
  return yes("master", `${peer.name} is a port of ${bridge.name}, which is up`);
}

function attachFix(peer: Link, bridge: Link | undefined): string {
  return `ip link set ${peer.name} master ${bridge?.name ?? "BRIDGE"}`;
}

function gatewaysOf({ endpoint }: End): readonly string[] {
  const { gateway = "", gatewayIPv6 = "" } = endpoint.join?.data ?? {};
  return [gateway, gatewayIPv6].flatMap((one) => canonicalIP(one) ?? []);
}

function gatewayLink({ home }: WhyFacts, end: End): Link | undefined {
  const gateways = gatewaysOf(end);
  return home.links.find(({ addresses, kind }) => kind === "bridge" && addresses.some((one) => gateways.includes(one)));
}

function judgeAddresses(facts: WhyFacts, end: End, { link, where, peer }: Located): Verdict {
  const wanted = end.endpoint.interfaces.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((one) => one !== "");
  const lacking = wanted.find((one) => !link.addresses.includes(canonicalIP(one) ?? ""));
  if (lacking !== undefined)
    return no(
      "address",
      `${link.name} in ${where} lacks its address ${lacking}`,
      `nsenter --net=${where} ip address add ${lacking} dev ${link.name}`,
    );
  const bridge = facts.home.links.find(({ name }) => name === peer?.master);
  const gone = gatewaysOf(end).find((one) => bridge?.kind === "bridge" && !bridge.addresses.includes(one));
  if (gone !== undefined)
    return no(
      "address",
      `the bridge ${bridge?.name} lacks the gateway's address ${gone}`,
      `bulkhead restart ${end.plugin.id}`,
    );
  return yes("address", `${link.name} has ${wanted.join(", ") || "no address, as recorded"}`);
}

function judgeRoutes({ routes, space }: End, targets: readonly string[]): Verdict {
  for (const target of targets) {
    const problem = routes.get(target);
    if (problem === undefined) continue;
    return no(
      "route",
      `${space?.name} has no route to ${target}: ${problem}`,
      `nsenter --net=${space?.name} ip route show`,
    );
  }
  return yes(
    "route",
    targets.length === 0 ? "no address was asked for" : `${space?.name} has a route to ${targets.join(", ")}`,
  );
}

/** Returns the bridge whose port an end's link is. */
export function bridgeOf(facts: WhyFacts, end: End): string | undefined {
  const found = locate(facts, end);
  return "holds" in found ? undefined : found.peer?.master;
}
