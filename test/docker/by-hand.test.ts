/** Endpoints made with `bulkhead call`: they stay without a sandbox, also after a restart, and an engine does not take their addresses. */
import { Collector } from "#dist/docker/collector.js";
import { DriverCalls } from "#dist/docker/driver-calls.js";
import { RecentEndpoints } from "#dist/docker/recent-endpoints.js";
import type { EndpointRequest } from "#dist/docker/wire.js";
import { viewOf } from "#dist/host/plugin-host.js";
import { EndpointConfig, type PluginHost } from "#dist/index.js";
import { controlled } from "../control/controlled.js";
import { assert, rejection, suite } from "../harness.js";
import { recorder } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";

const test = suite("docker: made by hand");
const NET = plugin("net", {
  methods: `createEndpoint(_n, eid, info) {
    if (info.interfaces().length === 0) info.addInterface(0, "", eid === "hand" ? "10.7.0.2/24" : "10.7.0.3/24", "");
  },`,
});

/** What serves the type to an engine, and what two checks in a row delete. */
function served(host: PluginHost) {
  const view = viewOf(host, "net");
  if (!view) throw new Error("no view");
  const { logger, log } = recorder();
  const options = { driver: host.driver("net"), view, logger, engine: undefined, recent: new RecentEndpoints() };
  const calls = new DriverCalls(options);
  const collected = async (): Promise<readonly string[]> => {
    const collector = new Collector();
    await collector.collect(calls, view, {});
    return collector.collect(calls, view, {});
  };
  return { calls, log, collected };
}

function request(eid: string, Address: string): EndpointRequest {
  const Interface = { Address, AddressIPv6: "", MacAddress: "" };
  return { NetworkID: "n", EndpointID: eid, Interface, Interfaces: undefined, Options: {} };
}

test("it is not collected as forgotten, also after a restart of the host; what the engine made is", async (t) => {
  const { home, host, client } = await controlled(t, { "net.js": NET });
  const call = (method: string, ...args: string[]) => client.ask("call", { body: { type: "net", method, args } });
  await call("createNetwork", "n");
  await call("createEndpoint", "n", "hand");
  await host.driver("net").createEndpoint("n", "engines", new EndpointConfig());
  assert.equal(await served(host).collected(), ["engines"]);
  const { endpoints } = await client.ask("endpoints");
  assert.equal(
    endpoints.map(({ id, byHand }) => [id, byHand]),
    [["hand", true]],
  );
  await host.close();

  const again = await home.open({ dataDir: home.path("data") });
  assert.equal(await served(again).collected(), []);
  await again.driver("net").deleteEndpoint("n", "hand");
  await again.driver("net").createEndpoint("n", "hand", new EndpointConfig());
  assert.equal(await served(again).collected(), ["hand"], "a later endpoint with its id is not made by hand");
});

test("an engine's endpoint does not take its address; its network's end takes it along, and the log says so", async (t) => {
  const { host, client } = await controlled(t, { "net.js": NET });
  await host.driver("net").createNetwork("n");
  await client.ask("call", { body: { type: "net", method: "createEndpoint", args: ["n", "hand"] } });
  const { calls, log } = served(host);
  const error = await rejection(calls.createEndpoint(request("new", "10.7.0.2/24"), {}));
  assert.equal(
    [error.code, error.message],
    [
      "ERR_ENDPOINT_IN_USE",
      "address 10.7.0.2 is in use by endpoint hand (network n), which an operator made by bulkhead call; remove that endpoint, or choose another address",
    ],
  );
  await calls.createEndpoint(request("new", "10.7.0.4/24"), {});
  assert.equal(log, []);
  await calls.deleteNetwork({ NetworkID: "n" }, {});
  assert.equal((await client.ask("endpoints")).endpoints, []);
  assert.match(JSON.stringify(log), 'endpoint \\"hand\\", which an operator made, is deleted with its network');
});

test.run();
