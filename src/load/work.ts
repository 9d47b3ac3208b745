/** Units of work that a driver is put under load with. Each leaves the driver as it found it, so that a run can be of any length. */
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { JsonObject } from "../driverapi/json.js";
import type { HostedDriver } from "../driverapi/types.js";
import type { Target } from "./closed-loop.js";
import { LOAD_NETWORK, loadId, loadRequest } from "./request.js";

/** "endpoint": created and deleted. "lifecycle": created, read, joined, left and deleted. "network": that, on a network of its own. */
export type Work = "endpoint" | "lifecycle" | "network";

/** Calls to the driver in one unit. */
export const CALLS: Readonly<Record<Work, number>> = { endpoint: 2, lifecycle: 5, network: 7 };

/** Below this folder stand the sandboxes that endpoints are said to join; none is there. */
const SANDBOXES = "/var/run/docker/netns";
/** Numbers of networks, apart from those of endpoints. */
const NETWORKS = 2 ** 45;

/** The network that "endpoint" and "lifecycle" work on. */
export function prepareWork(driver: HostedDriver, networkOptions: JsonObject): Promise<void> {
  return driver.createNetwork(LOAD_NETWORK, networkOptions);
}

/** One unit after the other; "endpoint" and "lifecycle" need `prepareWork`. */
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
