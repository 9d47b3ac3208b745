/** A call whose id another one holds is tried again with pauses, for as long as the engine waits. */
import { DriverCalls } from "#dist/docker/driver-calls.js";
import { DOCKER } from "#dist/docker/limits.js";
import { RecentEndpoints } from "#dist/docker/recent-endpoints.js";
import type { EndpointRequest } from "#dist/docker/wire.js";
import type { NetworkRecord } from "#dist/host/calls/record.js";
import type { TypeView } from "#dist/host/type-view.js";
import { DriverError, type HostedDriver } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { SILENT } from "../kit/logger.js";

const test = suite("docker: retry");
/** An end to what has no pause, so that this test fails instead of hanging. */
const TOO_OFTEN = 200;
const REQUEST: EndpointRequest = {
  NetworkID: "n",
  EndpointID: "e",
  Interface: { Address: "10.64.1.3/24", AddressIPv6: "", MacAddress: "" },
  Interfaces: undefined,
  Options: {},
};

/** A driver whose endpoint "e" has another address, and whose id is held for the next `held` tries. */
function calls(held: number): { readonly calls: DriverCalls; tries(): number } {
  let tries = 0;
  const interfaces = [{ id: 0, mac: "", ipv4: "10.64.1.2/24", ipv6: "" }];
  const endpoint = { eid: "e", phase: "live", options: "{}", interfaces, join: undefined, external: undefined };
  const network = { nid: "n", phase: "live", options: "{}", endpoints: new Map([["e", endpoint]]) };
  const view: Partial<TypeView> = {
    plugin: "net",
    external: false,
    network: () => network as unknown as NetworkRecord,
    networks: () => [network as unknown as NetworkRecord],
    published: async () => [],
    returned: async () => {},
  };
  const driver: Partial<HostedDriver> = {
    async createEndpoint() {},
    async deleteEndpoint() {
      tries++;
      if (tries <= held) throw new DriverError("ERR_DRIVER_BUSY", "another call holds its id");
    },
  };
  const options = { driver: driver as HostedDriver, view: view as TypeView, logger: SILENT, engine: undefined };
  return { calls: new DriverCalls({ ...options, recent: new RecentEndpoints() }), tries: () => tries };
}

test("each try waits first, and the request is answered when the id is free", async () => {
  const at = calls(3);
  const start = performance.now();
  await at.calls.createEndpoint(REQUEST, {});
  const took = performance.now() - start;
  assert.is(at.tries(), 4);
  // A timer of Node's may be a millisecond early.
  assert.ok(took >= 3 * (DOCKER.retryMs - 1), `it took ${took} ms`);
});

test("timers have their turn between tries: the engine that gives up ends them", async () => {
  const at = calls(TOO_OFTEN);
  const error = await rejection(at.calls.createEndpoint(REQUEST, { signal: AbortSignal.timeout(4 * DOCKER.retryMs) }));
  assert.is(error.code, "ERR_DRIVER_BUSY");
  assert.ok(at.tries() <= 6, `${at.tries()} tries`);
});

test.run();
