/** `POST /v1/why`: why packets of one endpoint do not arrive. The first check that fails is the cause of those after it. */
import { isIP } from "node:net";
import { escapeLine } from "../common/escape.js";
import { RequestError } from "../control/request-error.js";
import type { Endpoint, WhyReply, WhyRequest } from "../control/types.js";
import * as views from "../control/views.js";
import { inspectNetwork } from "../doctor/network/inspect.js";
import { DriverError } from "../driverapi/errors.js";
import type { OperatorHost } from "../host/operator-host.js";
import { parseNetns } from "../sandbox/namespace.js";
import { canonicalIP } from "./address.js";
import type { End, Space, Target, WhyFacts } from "./facts.js";
import { readSpace, routeProblem } from "./inspect.js";
import { judgeEnd } from "./judge-end.js";
import { addressesOf, judgePath } from "./judge-path.js";

/** Looks at everything between `from` and `to`. Throws `ERR_ENDPOINT_NOT_FOUND`, `RequestError`. */
export async function why(host: OperatorHost, { from, to, port }: WhyRequest): Promise<WhyReply> {
  const endpoints = views.endpoints(host);
  const start = endpointOf(endpoints, from, "body.from");
  if (!start)
    throw new DriverError(
      "ERR_ENDPOINT_NOT_FOUND",
      `no endpoint has the id or the address "${escapeLine(from, 100)}"; bulkhead inspect shows those of a network`,
    );
  const goal = to === undefined ? undefined : endpointOf(endpoints, to, "body.to");
  const outside = to === undefined || goal ? undefined : (canonicalIP(to) ?? "");
  if (outside === "")
    throw new DriverError(
      "ERR_ENDPOINT_NOT_FOUND",
      `no endpoint has the id "${escapeLine(to ?? "", 100)}", and it is not an address`,
    );
  const facts = await collect(host, start, goal, outside === undefined ? [] : [outside], port);
  const path = facts.to ? judgePath(facts, facts.to) : [];
  // No route is wanted between ends that are kept apart.
  const apart = path.some(({ check, holds }) => holds === "no" && check !== "forward");
  const checks = [
    ...judgeEnd(facts, facts.from, apart ? [] : targetsOf(facts.from, facts.to)),
    ...(facts.to?.end ? judgeEnd(facts, facts.to.end, targetsOf(facts.to.end, undefined)) : []),
    ...path,
  ];
  return { cause: checks.find(({ holds }) => holds === "no") ?? null, checks };
}

/** Finds an endpoint by its id, the beginning of its id, or an address of its own. */
function endpointOf(endpoints: readonly Endpoint[], text: string, field: string): Endpoint | undefined {
  const ip = isIP(text) === 0 ? undefined : canonicalIP(text);
  const has = ({ interfaces }: Endpoint): boolean =>
    interfaces.some(({ ipv4, ipv6 }) => [ipv4, ipv6].some((one) => canonicalIP(one) === ip));
  const exact = endpoints.filter((one) => one.id === text || (ip !== undefined && has(one)));
  const found = exact.length > 0 ? exact : endpoints.filter(({ id }) => id.startsWith(text));
  if (found.length > 1)
    throw new RequestError(
      `${field}: ${found.length} endpoints have that address, or an id that begins so; name more of the id`,
      field,
    );
  return found[0];
}

async function collect(
  host: OperatorHost,
  start: Endpoint,
  goal: Endpoint | undefined,
  outside: readonly string[],
  port: number | undefined,
): Promise<WhyFacts> {
  const { netns, kernel } = host.machine;
  const home = kernel ? await readSpace(netns, "the host") : { name: "the host", links: [], problem: undefined };
  const addresses = goal ? addressesOf({ endpoint: goal } as End) : outside;
  const from = await endOf(host, start, addresses, kernel);
  const end = goal && (await endOf(host, goal, [], kernel));
  const isTarget = goal !== undefined || outside.length > 0;
  return {
    from,
    to: isTarget ? { addresses, end, port } : undefined,
    home,
    kernel,
    machine: await inspectNetwork(netns, host.linkPrefixes()),
    published: await views.ports(host),
    internal: await host.internalBridges(),
    now: Date.now(),
  };
}

async function endOf(
  host: OperatorHost,
  endpoint: Endpoint,
  targets: readonly string[],
  kernel: boolean,
): Promise<End> {
  const network = views.networks(host).find(({ id, type }) => id === endpoint.network && type === endpoint.type);
  if (!network) throw new DriverError("ERR_NETWORK_NOT_FOUND", `network ${endpoint.network} was deleted meanwhile`);
  const { join, plugin } = endpoint;
  const calls = views.calls(host).filter((one) => one.plugin === plugin);
  const netns = join && kernel ? sandboxOf(join.sandbox) : undefined;
  let space: Space | undefined;
  const routes = new Map<string, string | undefined>();
  if (join && netns === undefined) space = { name: join.sandbox, links: [], problem: "it is not a network namespace" };
  if (netns !== undefined) {
    space = await readSpace(netns, netns);
    const gateways = [join?.data?.gateway, join?.data?.gatewayIPv6].flatMap((one) => canonicalIP(one ?? "") ?? []);
    for (const address of [...targets, ...gateways])
      if (space.problem === undefined) routes.set(address, await routeProblem(netns, address));
  }
  return { endpoint, network, plugin: views.pluginDetails(host.plugin(plugin)), calls, space, routes };
}

/** Addresses that the end must have a route to: those of the other end in families that both have, or else its gateways. */
function targetsOf(end: End, to: Target | undefined): readonly string[] {
  const wanted = to?.addresses ?? [...end.routes.keys()];
  const own = addressesOf(end);
  const common = wanted.filter((one) => own.some((mine) => mine.includes(":") === one.includes(":")));
  return common.length > 0 ? common : wanted;
}

function sandboxOf(key: string): string | undefined {
  try {
    return parseNetns(key);
  } catch {
    return undefined;
  }
}
