/**
 * Restores in a restarted driver what its predecessor had accepted: networks, endpoints and joins, with their results, and
 * external connectivity.
 * A record that fails sets its network aside, not the driver; a network that ends the worker repeatedly is quarantined.
 */

import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../common/text.js";
import { parseInterfaces, parseJoinData } from "../../driverapi/data.js";
import { DriverError } from "../../driverapi/errors.js";
import type { JsonText } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import { REPLAY } from "../limits.js";
import { callDriver, type LiveDriver } from "./host-call.js";
import { idArgs } from "./operation.js";
import { type EndpointRecord, isQuarantined, type JoinRecord, type NetworkRecord } from "./record.js";
import type { Records } from "./records.js";

export interface ReplayOptions {
  readonly type: string;
  readonly records: Records;
  /** The previous worker ended soon after its replay: one of the networks may have caused that, with a delay. */
  readonly suspicious: boolean;
  timeout(method: WorkerMethod): number;
}

/** How long to wait after each of `networks` networks, in milliseconds, for a worker that may end with a delay. */
const pauseAfter = (networks: number): number => Math.min(REPLAY.pauseMs, REPLAY.pausesMs / networks);

/** Raised when the worker ended during a replay. */
export class ReplayInterrupted extends Error {
  /** The worker had begun to restore the record: that may be what ended it. */
  readonly begun: boolean;

  constructor(reason: string, begun: boolean) {
    super(reason);
    this.begun = begun;
  }
}

/** Raised when a record's replay was not answered in time; that call will end the worker. */
class Unanswered extends Error {}

/**
 * Resolves with the networks that could not be restored. Rejects with `ReplayInterrupted` when the worker ended: each network
 * being restored then counts one more in `kills`; while any count is above 0, networks are restored one by one.
 */
export async function replay(options: ReplayOptions, live: LiveDriver): Promise<readonly NetworkRecord[]> {
  const networks = [...options.records.networks.values()].filter((one) => one.phase !== "creating");
  const careful = options.suspicious || networks.some((one) => one.kills > 0);
  const queue = networks[Symbol.iterator]();
  const pause = options.suspicious ? pauseAfter(networks.length) : 0;
  const runner = async (): Promise<void> => {
    for (const network of queue) await restoreNetwork(options, live, network, pause);
  };
  await Promise.all(Array.from({ length: careful ? 1 : Math.min(REPLAY.parallel, networks.length) }, runner));
  return networks.filter((one) => one.failed !== undefined);
}

async function restoreNetwork(
  options: ReplayOptions,
  live: LiveDriver,
  network: NetworkRecord,
  pause: number,
): Promise<void> {
  network.failed = undefined;
  if (isQuarantined(network)) {
    network.failed = failure(
      options.type,
      network.nid,
      `quarantined: restoring it ended the worker ${network.kills} times`,
    );
    return;
  }
  try {
    await restore(options, live, "createNetwork", [json(network.nid), marked(network.options), "true"]);
    for (const endpoint of network.endpoints.values()) {
      if (endpoint.phase !== "creating") await restoreEndpoint(options, live, network.nid, endpoint);
    }
    for (const endpoint of network.endpoints.values()) await restoreExternal(options, live, network.nid, endpoint);
    if (pause > 0) await survived(live, pause);
    options.records.setKills(network, 0);
  } catch (error) {
    if (error instanceof ReplayInterrupted) {
      if (error.begun) options.records.setKills(network, network.kills + 1);
      throw error;
    }
    if (error instanceof Unanswered) options.records.setKills(network, network.kills + 1);
    network.failed = failure(options.type, network.nid, messageOf(error), error);
  }
}

/** Throws `ReplayInterrupted` if the worker ends within `ms` milliseconds. */
async function survived({ session }: LiveDriver, ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (!session.alive) throw new ReplayInterrupted(session.over?.reason ?? "its worker ended", true);
}

async function restoreEndpoint(
  options: ReplayOptions,
  live: LiveDriver,
  nid: string,
  endpoint: EndpointRecord,
): Promise<void> {
  const { eid, interfaces, join } = endpoint;
  const added = parseInterfaces(
    await restore(options, live, "createEndpoint", [
      json(nid),
      json(eid),
      json(interfaces),
      marked(endpoint.options),
      "true",
    ]),
    LIMITS.interfaces,
  );
  if (added.length > 0) throw new Error(`endpoint ${eid}: it added interfaces it did not have before`);
  if (join && join.phase !== "creating") await restoreJoin(options, live, nid, endpoint, join);
}

async function restoreJoin(
  options: ReplayOptions,
  live: LiveDriver,
  nid: string,
  { eid, interfaces }: EndpointRecord,
  join: JoinRecord,
): Promise<void> {
  const ids = interfaces.map((one) => one.id);
  const data = parseJoinData(
    await restore(options, live, "join", [
      json(nid),
      json(eid),
      json(join.sboxKey),
      json(ids),
      marked(join.options),
      "true",
    ]),
    new Set(ids),
    LIMITS.routes,
  );
  if (!isDeepStrictEqual(data, join.data))
    throw new Error(
      `endpoint ${eid}: its join differs from the recorded one: ${json(data)}, recorded ${json(join.data ?? null)}`,
    );
}

/** Throws where the driver no longer has the methods: otherwise its ports would silently stay unpublished. */
async function restoreExternal(
  options: ReplayOptions,
  live: LiveDriver,
  nid: string,
  one: EndpointRecord,
): Promise<void> {
  const { eid, external } = one;
  if (!external || external.phase === "creating") return;
  if (!live.external)
    throw new Error(
      `endpoint ${eid}: its external connectivity is programmed, and the driver has no programExternalConnectivity() any more`,
    );
  await restore(options, live, "programExternalConnectivity", [...idArgs(nid, eid), marked(external.options), "true"]);
}

async function restore(
  options: ReplayOptions,
  live: LiveDriver,
  method: WorkerMethod,
  args: readonly string[],
): Promise<unknown> {
  const ms = options.timeout(method);
  // A record that is not answered in time fails its network, instead of delaying the restart.
  const outcome = await callDriver(live, method, args, ms, "deadline");
  if (outcome.how === "value") return outcome.value;
  if (outcome.how === "ended") throw new ReplayInterrupted(outcome.end.reason, outcome.started);
  if (outcome.how === "dropped") throw new Unanswered(`${method} was not answered within ${ms} ms`);
  throw new Error(`${method}: ${outcome.error.message}`);
}

/** Returns the options with the mark by which a driver can recognise a replay. */
function marked(options: JsonText): JsonText {
  return `${options.slice(0, -1)}${options === "{}" ? "" : ","}"bulkhead.replay":true}`;
}

function failure(type: string, nid: string, why: string, cause?: unknown): DriverError {
  return new DriverError("ERR_REPLAY_FAILED", `network ${nid} could not be restored in driver "${type}": ${why}`, {
    driver: type,
    cause,
  });
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
