/** Units of work for load on a driver. Each leaves the driver's state unchanged, so that a run can have any length. */
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { JsonObject } from "../driverapi/json.js";
import type { HostedDriver } from "../driverapi/types.js";
import type { Target } from "./closed-loop.js";
import { LOAD_NETWORK, loadId, loadRequest } from "./request.js";

/** "endpoint": create and delete. "lifecycle": create, read, join, leave and delete. "network": the same, on a network of its own. */
export type Work = "endpoint" | "lifecycle" | "network";

/** Calls to the driver in one unit. */
export const CALLS: Readonly<Record<Work, number>> = { endpoint: 2, lifecycle: 5, network: 7 };

/** Folder of the sandboxes that endpoints join; they do not exist. */
const SANDBOXES = "/var/run/docker/netns";
/** First number of networks, beyond those of endpoints. */
const NETWORKS = 2 ** 45;

/** Creates the network that "endpoint" and "lifecycle" work on. */
export function prepareWork(driver: HostedDriver, networkOptions: JsonObject): Promise<void> {
  return driver.createNetwork(LOAD_NETWORK, networkOptions);
}

/** Returns the target that does one unit per request; "endpoint" and "lifecycle" need `prepareWork` first. */
export function workOn(driver: HostedDriver, work: Work, networkOptions: JsonObject = {}): Target {
  if (work === "endpoint") return (n) => endpoint(driver, n);
  if (work === "lifecycle") return (n) => lifecycle(driver, LOAD_NETWORK, n);
  return async (n) => {
    const nid = loadId(NETWORKS + n);
    await driver.createNetwork(nid, networkOptions);
    await lifecycle(driver, nid, n);
    await driver.deleteNetwork(nid);
  };
}

async function endpoint(driver: HostedDriver, n: number): Promise<void> {
  const { nid, eid, options } = loadRequest(n);
  await driver.createEndpoint(nid, eid, new EndpointConfig(), options);
  await driver.deleteEndpoint(nid, eid);
}

async function lifecycle(driver: HostedDriver, nid: string, n: number): Promise<void> {
  const { eid, options } = loadRequest(n);
  const info = new EndpointConfig();
  await driver.createEndpoint(nid, eid, info, options);
  await driver.endpointOperInfo(nid, eid);
  await driver.join(nid, eid, `${SANDBOXES}/${eid.slice(-12)}`, new JoinConfig(info), options);
  await driver.leave(nid, eid);
  await driver.deleteEndpoint(nid, eid);
}
