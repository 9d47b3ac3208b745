/** Answers the executables of CNI runtimes: ADD, DEL, CHECK, GC and STATUS. VERSION needs no daemon. */
import type { AttachmentKey, WantedAttachment } from "../attachments/attachment.js";
import type { Attachments } from "../attachments/attachments.js";
import type { AnswerExecutable, ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import { DriverError } from "../driverapi/errors.js";
import type { OperatorHost } from "../host/operator-host.js";
import { type CniArguments, COMMANDS, readArguments } from "./arguments.js";
import { type CniConfig, decode, parseConfig, versionOf } from "./config.js";
import { CniFailure, cniErrorOf } from "./failure.js";
import { poolsOf, routesVia } from "./ipam.js";
import { type CniResult, type CniRoute, cniResult, resultOf } from "./result.js";
import { CNI_LATEST, CNI_VERSIONS, type CniVersion } from "./versions.js";

const NOTHING: ExecutableReply = { exit: 0, output: "" };

/** Answers one request. `request.args`: what the delegated IPAM plugin printed, if there is one. */
export const answerCni: AnswerExecutable = async (request, attachments, host) => {
  let cniVersion: string = CNI_LATEST;
  try {
    const given = decode(request.input);
    cniVersion = versionOf(given) ?? CNI_LATEST;
    const asked = readArguments(request.env);
    const config = parseConfig(given);
    refuseTooOld(asked, config);
    return await carryOut(asked, config, { request, attachments, host, type: config.driver ?? request.driver });
  } catch (error) {
    return { exit: 1, output: JSON.stringify(cniErrorOf(error, cniVersion)) };
  }
};

interface Situation {
  readonly request: ExecutableRequest;
  readonly attachments: Attachments;
  readonly host: OperatorHost;
  readonly type: string;
}

function refuseTooOld({ command }: CniArguments, { cniVersion }: CniConfig): void {
  const since: CniVersion = COMMANDS[command];
  if (CNI_VERSIONS.indexOf(cniVersion) >= CNI_VERSIONS.indexOf(since)) return;
  throw new CniFailure(
    "version",
    `${command} needs cniVersion ${since} or later, and the network configuration has ${cniVersion}`,
  );
}

async function carryOut(asked: CniArguments, config: CniConfig, situation: Situation): Promise<ExecutableReply> {
  const { attachments, host, type } = situation;
  const key: AttachmentKey = {
    ...{ platform: "cni", network: config.name, container: asked.container, interface: asked.interface },
  };
  switch (asked.command) {
    case "ADD":
      return add(asked, config, situation);
    case "DEL":
      await attachments.detach(key);
      return NOTHING;
    case "CHECK":
      if (!config.prevResult)
        throw new CniFailure("config", "CHECK needs the prevResult of ADD in the network configuration");
      await attachments.check(key, asked.netns);
      return NOTHING;
    case "GC":
      await collect(config, type, attachments);
      return NOTHING;
    case "STATUS":
      refuseAbsent(host, type);
      return NOTHING;
  }
}

async function add(
  asked: CniArguments,
  config: CniConfig,
  { request, attachments, type }: Situation,
): Promise<ExecutableReply> {
  const chosen = config.ipam.plugin ? delegated(request.args[0]) : undefined;
  const asks = config.ips.length > 0 ? config.ips : asked.addresses;
  const routes = ipamRoutes(config, chosen);
  const hasDefault =
    config.isDefaultGateway || routes.some(({ destination }) => /^(0\.0\.0\.0|::)\/0$/.test(destination));
  const wanted: WantedAttachment = {
    platform: "cni",
    network: {
      ...{ name: config.name, type, options: config.options, internal: config.internal },
      pools: chosen ? poolsOf(chosen) : config.ipam.pools,
    },
    ...{ container: asked.container, interface: asked.interface, netns: asked.netns },
    addresses: chosen ? chosen.ips.map(({ address }) => address) : asks,
    allAddresses: chosen !== undefined,
    mac: config.mac || asked.mac,
    ports: config.portMappings,
    portsHeld: config.runtimeBindsPorts,
    routes,
    // As with other plugins, an IPAM plugin decides about the default route.
    ...(chosen ? { defaultRoute: hasDefault } : {}),
  };
  const made = await attachments.attach(wanted);
  const gateways = chosen && !hasDefault ? [] : defaults(made.gateway, made.gatewayIPv6);
  const own: readonly CniRoute[] = routes.map(({ destination: dst, via: gw }) => ({ dst, gw }));
  const result = resultOf(made, {
    ...{ cniVersion: config.cniVersion, before: config.prevResult, dns: config.dns ?? chosen?.dns },
    routes: [...gateways.filter(({ dst }) => !own.some((one) => one.dst === dst)), ...own],
  });
  return { exit: 0, output: JSON.stringify(result) };
}

function delegated(text: string | undefined): CniResult {
  const read = text === undefined ? undefined : cniResult.safeParse(decode(text));
  if (read?.success) return read.data;
  throw new CniFailure(
    "config",
    "the IPAM plugin printed no valid result; check ipam in the network configuration",
    text,
  );
}

function ipamRoutes({ ipam }: CniConfig, chosen: CniResult | undefined): WantedAttachment["routes"] & object {
  if (chosen)
    return routesVia(
      chosen.routes,
      chosen.ips.map(({ gateway }) => gateway),
    );
  return routesVia(
    ipam.routes,
    ipam.pools.map(({ gateway }) => gateway),
  );
}

function defaults(gateway: string, gatewayIPv6: string): readonly CniRoute[] {
  return [
    ...(gateway === "" ? [] : [{ dst: "0.0.0.0/0", gw: gateway }]),
    ...(gatewayIPv6 === "" ? [] : [{ dst: "::/0", gw: gatewayIPv6 }]),
  ];
}

/** Detaches the containers of this network that the runtime does not list. */
async function collect({ name, valid }: CniConfig, type: string, attachments: Attachments): Promise<void> {
  if (valid === undefined)
    throw new CniFailure("config", "GC needs cni.dev/valid-attachments in the network configuration");
  for (const row of attachments.list("cni")) {
    if (row.network !== name || row.type !== type) continue;
    if (valid.some(({ containerID, ifname }) => containerID === row.container && ifname === row.interface)) continue;
    await attachments.detach(row);
  }
}

function refuseAbsent(host: OperatorHost, type: string): void {
  try {
    host.view(type);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    throw new CniFailure("notAvailable", `driver "${type}" is not in service: ${error.message}`, error.code);
  }
}
