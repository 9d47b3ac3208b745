/** Docker's plugin protocol over the socket, method by method, with no engine: forms, refusals, deadlines, sockets. */
import { chmod, lstat, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DockerGateway } from "#dist/docker/gateway.js";
import type { PluginHost } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { type House, house } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { post, type Reply } from "./socket.js";

const test = suite("docker: the gateway");

/** Remembers what it was asked, and tells it as operational info of endpoint "told". */
const TELLING = plugin("net", {
  top: "const asked = [];",
  methods: `
    createNetwork(nid, options) { asked.push(["createNetwork", nid, options]); },
    createEndpoint(nid, eid, info, options) {
      const given = info.interfaces().map((one) => [one.id(), one.macAddress(), one.address(), one.addressIPv6()]);
      asked.push(["createEndpoint", nid, eid, given, options]);
      if (eid === "slow") return new Promise(() => {});
      if (eid === "bad") throw new Error("no more addresses");
      if (given.length === 0) info.addInterface(0, "02:42:0a:00:00:09", "10.0.0.9/24", "");
    },
    endpointOperInfo() { return { asked }; },
    join(nid, eid, key, info, options) { asked.push(["join", nid, eid, key, options]); info.setGateway("10.0.0.1"); info.addStaticRoute("10.9.0.0/16", 0, "10.0.0.254"); },
    leave(nid, eid) { asked.push(["leave", nid, eid]); },
    deleteEndpoint(nid, eid) { asked.push(["deleteEndpoint", nid, eid]); },
    deleteNetwork(nid) { asked.push(["deleteNetwork", nid]); },
  `,
});

const NETWORK = {
  NetworkID: "n1",
  Options: { "com.docker.network.generic": { opt1: "drv1" } },
  IPv4Data: [
    { AddressSpace: "LocalDefault", Pool: "10.0.0.0/24", Gateway: "10.0.0.1/24", AuxAddresses: { a: "10.0.0.5/24" } },
  ],
  IPv6Data: null,
};
const EMPTY = { Address: "", AddressIPv6: "", MacAddress: "" };

interface Served {
  readonly at: House;
  readonly host: PluginHost;
  readonly directory: string;
  readonly gateway: DockerGateway;
  call(method: string, body?: unknown): Promise<Reply>;
}

async function served(t: TestContext, options: { readonly answerMs?: number } = {}): Promise<Served> {
  const at = await house(t, { "net.js": TELLING });
  const directory = await t.folder();
  const host = await at.open();
  const gateway = await DockerGateway.open({ host, logger: SILENT, directory, ...options });
  t.cleanup(() => gateway.close());
  const socket = join(directory, "bulkhead-net.sock");
  const call = (method: string, body?: unknown): Promise<Reply> =>
    post(socket, method.includes("/") ? method : `/NetworkDriver.${method}`, body);
  return { at, host, directory, gateway, call };
}

test("activation and capabilities, asked with an empty body", async (t) => {
  const { call } = await served(t);
  const activated = await call("/Plugin.Activate");
  assert.equal(activated, {
    status: 200,
    type: "application/vnd.docker.plugins.v1.2+json; charset=utf-8",
    body: { Implements: ["NetworkDriver"] },
  });
  assert.equal((await call("GetCapabilities")).body, { Scope: "local", ConnectivityScope: "local" });
});

test("a network's pools and options reach the driver under documented keys", async (t) => {
  const { call } = await served(t);
  assert.equal((await call("CreateNetwork", NETWORK)).body, {});
  await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e1", Interface: EMPTY, Options: {} });
  const { body } = await call("EndpointOperInfo", { NetworkID: "n1", EndpointID: "e1" });
  const { asked } = body.Value as { asked: unknown[][] };
  assert.equal(asked[0], [
    "createNetwork",
    "n1",
    { ...NETWORK.Options, "com.docker.network.ipam": { ipv4: NETWORK.IPv4Data, ipv6: [] } },
  ]);
});

test("an interface: only what came in empty is answered", async (t) => {
  const { call } = await served(t);
  await call("CreateNetwork", NETWORK);
  const chosen = await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e1", Interface: EMPTY, Options: null });
  assert.equal(chosen.body, { Interface: { Address: "10.0.0.9/24", MacAddress: "02:42:0a:00:00:09" } });
  const given = { Address: "10.0.0.2/24", AddressIPv6: "", MacAddress: "" };
  const derived = await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e2", Interface: given });
  assert.equal(derived.body, { Interface: { MacAddress: "02:42:0a:00:00:02" } });
  const whole = { Address: "10.0.0.3/24", AddressIPv6: "fd00::3/64", MacAddress: "02:00:00:00:00:03" };
  assert.equal((await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e3", Interface: whole })).body, {});
});

test("the form of 2015: lists of interfaces and of names, interface ids in routes", async (t) => {
  const { call } = await served(t);
  await call("CreateNetwork", NETWORK);
  const made = await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e1", Interfaces: [], Options: {} });
  assert.equal(made.body, { Interfaces: [{ ID: 0, Address: "10.0.0.9/24", MacAddress: "02:42:0a:00:00:09" }] });
  const joined = await call("Join", { NetworkID: "n1", EndpointID: "e1", SandboxKey: "/run/none/s", Options: {} });
  assert.equal(joined.body.InterfaceNames, []);
  assert.equal(joined.body.StaticRoutes, [
    { Destination: "10.9.0.0/16", RouteType: 0, NextHop: "10.0.0.254", InterfaceID: 0 },
  ]);
  assert.is(joined.body.Gateway, "10.0.0.1");
});

test("what the engine tries again is answered again, and done once", async (t) => {
  const { call } = await served(t);
  const join1 = { NetworkID: "n1", EndpointID: "e1", SandboxKey: "/run/none/s", Options: {} };
  for (let n = 0; n < 2; n++) {
    assert.equal((await call("CreateNetwork", NETWORK)).body, {});
    const { body } = await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e1", Interface: EMPTY });
    assert.equal(body.Interface, { Address: "10.0.0.9/24", MacAddress: "02:42:0a:00:00:09" });
    assert.is((await call("Join", join1)).body.Gateway, "10.0.0.1");
  }
  const { body } = await call("EndpointOperInfo", { NetworkID: "n1", EndpointID: "e1" });
  assert.equal(
    (body.Value as { asked: string[][] }).asked.map(([method]) => method),
    ["createNetwork", "createEndpoint", "join"],
  );
  const other = { ...NETWORK, Options: {} };
  assert.match(String((await call("CreateNetwork", other)).body.Err), /network n1 exists already/);
});

test("an endpoint is deleted without Leave, a network with what the engine has forgotten; twice is not an error", async (t) => {
  const { call, host } = await served(t);
  await call("CreateNetwork", NETWORK);
  const given = { Address: "10.0.0.2/24", AddressIPv6: "", MacAddress: "" };
  await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e1", Interface: given });
  await call("Join", { NetworkID: "n1", EndpointID: "e1", SandboxKey: "/run/none/s", Options: {} });
  // The engine gives its address to another: it has forgotten the endpoint that had it.
  assert.is(
    (await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e2", Interface: given })).body.Err,
    undefined,
  );
  assert.is((await rejection(host.driver("net").endpointOperInfo("n1", "e1"))).code, "ERR_ENDPOINT_NOT_FOUND");
  await call("Join", { NetworkID: "n1", EndpointID: "e2", SandboxKey: "/run/none/s", Options: {} });
  for (let n = 0; n < 2; n++)
    assert.equal((await call("DeleteEndpoint", { NetworkID: "n1", EndpointID: "e2" })).body, {});
  await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e3", Interface: given });
  for (let n = 0; n < 2; n++) assert.equal((await call("DeleteNetwork", { NetworkID: "n1" })).body, {});
});

test("the rest of the table is answered", async (t) => {
  const { call } = await served(t);
  assert.equal((await call("AllocateNetwork", NETWORK)).body, { Options: NETWORK.Options });
  assert.equal((await call("FreeNetwork", { NetworkID: "n1" })).body, {});
  assert.equal((await call("GwAllocCheck", { Options: {} })).body, {});
  assert.equal((await call("DiscoverNew", { DiscoveryType: 1, DiscoveryData: { Address: "10.0.0.1" } })).body, {});
  assert.equal((await call("DiscoverDelete", { DiscoveryType: 1, DiscoveryData: null })).body, {});
  const ids = { NetworkID: "n1", EndpointID: "e1" };
  assert.equal((await call("ProgramExternalConnectivity", { ...ids, Options: {} })).body, {});
  assert.equal((await call("RevokeExternalConnectivity", ids)).body, {});
});

test("a driver's error is said in its words, a hang by the deadline, and the next call works", async (t) => {
  const { call } = await served(t, { answerMs: 300 });
  await call("CreateNetwork", NETWORK);
  const bad = await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "bad", Interface: EMPTY });
  assert.is(bad.status, 200);
  assert.match(String(bad.body.Err), /no more addresses/);
  const slow = await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "slow", Interface: EMPTY });
  assert.match(String(slow.body.Err), /driver "net" did not answer createEndpoint within 300 ms/);
  assert.equal(
    (await call("CreateEndpoint", { NetworkID: "n1", EndpointID: "e1", Interface: EMPTY })).body.Err,
    undefined,
  );
});

const WRONG: readonly (readonly [what: string, method: string, body: unknown, status: number, says: RegExp])[] = [
  ["no JSON", "CreateNetwork", "{", 400, /the body is not JSON/],
  ["an empty body", "CreateNetwork", undefined, 400, /NetworkID/],
  ["a list", "CreateNetwork", [], 400, /the body: /],
  ["an id that is not a text", "DeleteNetwork", { NetworkID: 5 }, 400, /NetworkID: /],
  ["an id that is too long", "DeleteNetwork", { NetworkID: "n".repeat(257) }, 400, /NetworkID: /],
  ["invalid options", "CreateNetwork", { NetworkID: "n", Options: 5 }, 400, /Options: /],
  [
    "an invalid address",
    "CreateEndpoint",
    { NetworkID: "n1", EndpointID: "x", Interface: { Address: "nonsense" } },
    200,
    /nonsense/,
  ],
  ["a method that is not there", "Nonsense", {}, 404, /not part of the protocol/],
  ["a megabyte and more", "CreateNetwork", `{"NetworkID":"${"n".repeat(1_100_000)}"}`, 413, /./],
  ["an unknown network", "CreateEndpoint", { NetworkID: "none", EndpointID: "x" }, 200, /network none does not exist/],
];

test("wrong requests are refused in words that help", async (t) => {
  const { call } = await served(t);
  await call("CreateNetwork", NETWORK);
  for (const [what, method, body, status, says] of WRONG) {
    const reply = await call(method, body);
    assert.is(reply.status, status, `${what}: ${JSON.stringify(reply.body)}`);
    assert.match(String(reply.body.Err), says, what);
  }
  assert.equal((await call("DeleteNetwork", { NetworkID: "n1" })).body, {});
});

test("a socket is there while its driver is, for its owner alone; nothing else is", async (t) => {
  const { at, host, directory, gateway } = await served(t);
  const path = join(directory, "bulkhead-net.sock");
  assert.is((await lstat(path)).mode & 0o777, 0o600);
  assert.equal(await readdir(directory), ["bulkhead-net.sock"]);
  await at.put({ "late.js": plugin("late") });
  await host.reload("late");
  await gateway.settled();
  const late = join(directory, "bulkhead-late.sock");
  assert.equal((await post(late, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
  await host.unload("late");
  await gateway.settled();
  assert.equal(await readdir(directory), ["bulkhead-net.sock"]);
  await gateway.close();
  assert.equal(await readdir(directory), []);
});

test("what a crash left is cleared; another's socket, and a file, are not touched", async (t) => {
  const at = await house(t, { "net.js": TELLING, "taken.js": plugin("taken"), "file.js": plugin("file") });
  const directory = await t.folder();
  // A socket nobody answers on: its server is gone, its file is not.
  const { execFileSync } = await import("node:child_process");
  const leave = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  for (const name of ["bulkhead-net.sock", "bulkhead-old.sock", "others.sock"]) {
    try {
      execFileSync(process.execPath, ["-e", leave, join(directory, name)], { stdio: "ignore" });
    } catch {
      // It has killed itself.
    }
  }
  const another = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => another.listen(join(directory, "bulkhead-taken.sock"), resolve));
  t.cleanup(() => another.close());
  await writeFile(join(directory, "bulkhead-file.sock"), "");
  await chmod(join(directory, "bulkhead-file.sock"), 0o600);
  const host = await at.open();
  const told: string[] = [];
  const say = (_: object, message: string): void => {
    told.push(message);
  };
  const logger = { ...SILENT, warn: say, error: say };
  const gateway = await DockerGateway.open({ host, logger, directory });
  t.cleanup(() => gateway.close());
  assert.equal([...gateway.sockets.keys()], ["net"]);
  assert.ok(
    told.some((one) => /bulkhead-taken\.sock: another program serves it/.test(one)),
    told.join("\n"),
  );
  assert.ok(
    told.some((one) => /bulkhead-file\.sock: a file that is not a socket is in its place/.test(one)),
    told.join("\n"),
  );
  assert.equal((await readdir(directory)).sort(), [
    "bulkhead-file.sock",
    "bulkhead-net.sock",
    "bulkhead-taken.sock",
    "others.sock",
  ]);
});

test.run();
