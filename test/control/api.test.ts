/** The control API: every operation's reply fits its schema and says what the host knows; wrong requests are refused with their field. */

import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ControlClient } from "#dist/control/client.js";
import { CONTROL } from "#dist/control/limits.js";
import { openApi } from "#dist/control/openapi.js";
import { OPERATIONS, type OperationName } from "#dist/control/operations.js";
import { errorBody, REPLIES } from "#dist/control/reply-schemas.js";
import { EndpointConfig } from "#dist/index.js";
import { bridgeHost } from "../docker/bridge-host.js";
import { assert, rejection, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { controlled, raw } from "./controlled.js";

const test = suite("control/api");

const STUCK = plugin("net", {
  methods:
    'endpointOperInfo: () => new Promise(() => {}), createEndpoint(_n, _e, info) { info.addInterface(0, "", "10.7.0.2/24", ""); },',
});

/** What the operations that take a body are given. */
const BODIES: Readonly<Record<string, object>> = {
  call: { type: "net", method: "createNetwork", args: ["m"] },
  why: { from: "e" },
  learn: { seconds: 0 },
  profile: { kind: "cpu", seconds: 0.1 },
  shape: { rate: "1mbit" },
  fence: { reason: "burnt down" },
  podman: { driver: "net", args: ["create"], env: {}, input: "{}" },
  cni: { driver: "net", args: [], env: { CNI_COMMAND: "STATUS" }, input: "{}" },
};

/** What is refused here: a link to shape and shared state, which this driver lacks (shape.test.ts, cluster.test.ts), and what this Node cannot do. */
const REFUSED: Readonly<Record<string, readonly [status: number, code: string]>> = {
  shape: [404, "ERR_ENDPOINT_NOT_FOUND"],
  fence: [403, "ERR_CLUSTER_FENCE"],
  ...("startCpuProfile" in Worker.prototype ? {} : { profile: [501, "ERR_PROFILE_UNAVAILABLE"] }),
};

test("each operation's reply fits its schema, and each is in openapi.json", async (t) => {
  const { socket, host } = await controlled(t, { "net.js": STUCK });
  const driver = host.driver("net");
  await driver.createNetwork("n", { a: 1 });
  await driver.createEndpoint("n", "e", new EndpointConfig());
  for (const [name, { method, path }] of Object.entries(OPERATIONS)) {
    const body = BODIES[name];
    const reply = await raw(socket, method, path.replace("{id}", "net"), body && JSON.stringify(body));
    if (REFUSED[name]) {
      assert.equal([reply.status, reply.body.code], REFUSED[name], name);
      continue;
    }
    assert.is(reply.status, 200, `${name}: ${JSON.stringify(reply.body)}`);
    const read = REPLIES[name as OperationName].safeParse(reply.body);
    assert.ok(read.success, `${name}: ${read.error?.message}`);
    // After `stop`, `start`; after `quarantine`, too.
    if (name === "quarantine") await raw(socket, "POST", "/v1/plugins/net/start");
  }
  const served = await raw(socket, "GET", "/v1/openapi.json");
  assert.equal(served.body, JSON.parse(JSON.stringify(openApi())));
  assert.equal(served.body, JSON.parse(await readFile(join(REPO, "dist/schemas/openapi.json"), "utf8")));
  for (const { path, method } of Object.values(OPERATIONS)) assert.ok(served.body.paths[path][method.toLowerCase()]);
});

test("plugins, networks, endpoints and calls in progress are the host's own records", async (t) => {
  const { client, host } = await controlled(t, { "net.js": STUCK });
  const driver = host.driver("net");
  await driver.createNetwork("n", { a: 1 });
  await driver.createEndpoint("n", "e", new EndpointConfig());
  await rejection(driver.deleteNetwork("none"));
  const stop = new AbortController();
  const asked = rejection(driver.endpointOperInfo("n", "e", { signal: stop.signal }));
  const { plugins } = await client.ask("plugins");
  assert.equal(
    plugins.map(({ id, state, types, inFlight, calls, errors }) => ({ id, state, types, inFlight, calls, errors })),
    [{ id: "net", state: "running", types: ["net"], inFlight: 1, calls: 4, errors: 1 }],
  );
  const { calls } = await client.ask("calls");
  assert.equal(
    calls.map(({ plugin, type, method, network, endpoint }) => [plugin, type, method, network, endpoint]),
    [["net", "net", "endpointOperInfo", "n", "e"]],
  );
  const details = await client.ask("plugin", { id: "net" });
  const answer = (method: string, code: string) => ({ type: "net", method, code, count: 1 });
  assert.equal(details.answers, [
    answer("createNetwork", "ok"),
    answer("createEndpoint", "ok"),
    answer("deleteNetwork", "ERR_NETWORK_NOT_FOUND"),
  ]);
  assert.equal(
    details.lastErrors.map(({ code, method }) => [code, method]),
    [["ERR_NETWORK_NOT_FOUND", "deleteNetwork"]],
  );
  assert.is(details.limits?.memoryMb, 32);
  const { networks } = await client.ask("networks");
  assert.equal(
    networks.map(({ id, type, plugin, phase, endpoints, options }) => ({
      id,
      type,
      plugin,
      phase,
      endpoints,
      options,
    })),
    [{ id: "n", type: "net", plugin: "net", phase: "live", endpoints: 1, options: { a: 1 } }],
  );
  const { endpoints } = await client.ask("endpoints");
  assert.equal(
    endpoints.map(({ id, network, interfaces }) => [id, network, interfaces[0]?.ipv4]),
    [["e", "n", "10.7.0.2/24"]],
  );
  stop.abort();
  await asked;
  assert.equal((await client.ask("calls")).calls, []);
});

test("a driver is called with an operator's arguments; its error keeps its code", async (t) => {
  const { client, socket } = await controlled(t, { "net.js": STUCK });
  const call = (method: string, ...args: string[]) => client.ask("call", { body: { type: "net", method, args } });
  assert.equal(await call("createNetwork", "n"), { result: null });
  const made = (await call("createEndpoint", "n", "e")) as { result: { interfaces: { ipv4: string }[] } };
  assert.is(made.result.interfaces[0]?.ipv4, "10.7.0.2/24");
  const again = await raw(socket, "POST", "/v1/call", '{"type":"net","method":"createNetwork","args":["n"]}');
  assert.equal([again.status, again.body.code, again.body.plugin], [403, "ERR_NETWORK_EXISTS", "net"]);
  const unknown = await rejection(client.ask("call", { body: { type: "none", method: "config" } }));
  assert.is(unknown.code, "ERR_DRIVER_NOT_FOUND");
});

test(
  "connections without a whole request are closed, and do not keep others out",
  async (t) => {
    const { socket, client } = await controlled(t, { "net.js": STUCK });
    const open = Array.from({ length: CONTROL.connections + 20 }, (_, n) => {
      const one = createConnection(socket, () => one.write(n % 2 === 0 ? "GET /v1/plug" : ""));
      one.on("error", () => {}).on("data", () => {});
      t.cleanup(() => one.destroy());
      return new Promise((resolve) => one.on("close", resolve));
    });
    await Promise.all(open);
    assert.is((await client.ask("health")).status, "ok");
  },
  { ms: 60_000 },
);

test("published ports, as the firewall has them", async (t) => {
  const dataDir = join(await t.folder(), "data");
  const host = await bridgeHost(t, dataDir);
  const { path } = await host.control(join(dataDir, "control.sock"));
  const driver = host.driver("bridge");
  const pool = { AddressSpace: "LocalDefault", Pool: "10.64.1.0/24", Gateway: "10.64.1.1/24", AuxAddresses: {} };
  await driver.createNetwork("n", { "com.docker.network.ipam": { ipv4: [pool], ipv6: [] } });
  const map = { Proto: 6, IP: "", Port: 80, HostIP: "127.0.0.1", HostPort: 8080, HostPortEnd: 8080 };
  await driver.createEndpoint("n", "e", new EndpointConfig(), { "com.docker.network.portmap": [map] });
  const { ports } = await new ControlClient(path).ask("ports");
  assert.equal(ports, [
    { plugin: "bridge", protocol: "tcp", hostIP: "127.0.0.1", hostPort: 8080, ip: "10.64.1.2", port: 80 },
  ]);
});

test("a wrong request is refused with its field and reason; the host goes on", async (t) => {
  const { socket, client } = await controlled(t, { "net.js": STUCK });
  const call = (body: string) => ["POST", "/v1/call", body] as const;
  const cases: readonly (readonly [
    method: string,
    path: string,
    body: string | undefined,
    status: number,
    field?: string,
  ])[] = [
    [...call("{"), 400, "body"],
    [...call(""), 400, "body"],
    [...call("[]"), 400, "body"],
    [...call('{"type":"net"}'), 400, "body.method"],
    [...call('{"type":"net","method":"toString"}'), 400, "body.method"],
    [...call('{"type":"net","method":"config","more":1}'), 400, "body.more"],
    [...call('{"type":"net","method":"createNetwork","args":[7]}'), 400, "body.args.0"],
    [...call('{"type":"net","method":"createNetwork","args":["n",[]]}'), 400, "body.args.1"],
    [...call('{"type":"net","method":"deleteNetwork","args":["n",{}]}'), 400, "body.args.1"],
    [...call(`{"type":"${"x".repeat(300_000)}"}`), 413, "body"],
    [...call(`{"type":"net","method":"config","args":${"[".repeat(60_000)}${"]".repeat(60_000)}}`), 400, "body"],
    ["GET", "/v1/events?kind=noise", undefined, 400, "query.kind"],
    ["GET", "/v1/events?last=-1", undefined, 400, "query.last"],
    ["GET", "/v1/events?colour=red", undefined, 400, "query.colour"],
    ["GET", "/v1/plugins/none", undefined, 404],
    ["POST", "/v1/plugins/none/restart", undefined, 404],
    ["POST", "/v1/plugins/%0a%1b/stop", undefined, 404],
    ["GET", "/v2/%1b[31m", undefined, 404, "path"],
    ["DELETE", "/v1/plugins/net", undefined, 404, "path"],
    ["GET", "/v1/plugins/%ff", undefined, 400],
    ["GET", `/v1/plugins/${"x".repeat(2000)}`, undefined, 414],
  ];
  for (const [method, path, body, status, field] of cases) {
    const reply = await raw(socket, method, path, body);
    const words = `${method} ${path} ${body?.slice(0, 60)}: ${JSON.stringify(reply.body)}`;
    assert.is(reply.status, status, words);
    assert.is(reply.body.field, field, words);
    assert.ok(errorBody.safeParse(reply.body).success, words);
    assert.not(/\p{Cc}/u.test(reply.body.message), words);
  }
  // Not HTTP at all, and a head that never ends.
  for (const text of ["\u0000\u0001\r\n\r\n", `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}`]) {
    const closed = new Promise((resolve) => {
      const connection = createConnection(socket, () => connection.write(text));
      connection.on("error", () => {}).on("data", () => {});
      connection.on("close", resolve);
    });
    await closed;
  }
  assert.is((await client.ask("health")).status, "ok");
});

test.run();
