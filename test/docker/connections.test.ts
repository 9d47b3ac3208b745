/** Connections that are idle, or whose request never arrives whole: they hold up neither the end nor another type. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { DockerGateway } from "#dist/docker/gateway.js";
import { DOCKER } from "#dist/docker/limits.js";
import { assert, suite, type TestContext, until } from "../harness.js";
import { house } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { post } from "./socket.js";

const test = suite("docker: connections");

const HEAD = "POST /NetworkDriver.CreateNetwork HTTP/1.1\r\nHost: plugin\r\n";
/** Never finished. */
const HALVES: readonly (readonly [what: string, text: string])[] = [
  ["nothing sent", ""],
  ["half a header", HEAD],
  ["a header and half a body", `${HEAD}Content-Length: 100\r\n\r\n{"NetworkID":`],
  ["a chunk and no end", `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{"Net\r\n`],
];

async function place(t: TestContext, methods = "") {
  const at = await house(t, { "net.js": plugin("net", { methods }) });
  const directory = await t.folder();
  const host = await at.open({ policy: { defaults: { timeouts: { default: 30_000 } } } });
  const gateway = await DockerGateway.open({ host, logger: SILENT, directory });
  t.cleanup(() => gateway.close());
  const path = join(directory, "bulkhead-net.sock");
  const connect = async (text: string): Promise<Socket> => {
    const socket = createConnection(path);
    t.cleanup(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    if (text !== "") await new Promise((resolve) => socket.write(text, resolve));
    return socket;
  };
  return { at, host, gateway, directory, path, connect };
}

for (const [what, text] of HALVES)
  test(`${what}: the gateway closes at once, and a type that comes later is served`, async (t) => {
    const { at, host, gateway, directory, path, connect } = await place(t);
    await connect(text);
    await post(path, "/Plugin.Activate");
    await at.put({ "late.js": plugin("late") });
    await host.unload("net");
    await host.reload("late");
    await gateway.settled();
    const late = join(directory, "bulkhead-late.sock");
    assert.equal((await post(late, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
    const began = performance.now();
    await gateway.close();
    assert.ok(performance.now() - began < 2_000, "it took too long");
  });

test("a connection that has been used and is kept open is closed too", async (t) => {
  const { gateway, connect } = await place(t);
  const socket = await connect(`${HEAD.replace("CreateNetwork", "GetCapabilities")}Content-Length: 0\r\n\r\n`);
  const [answer] = await once(socket, "data");
  assert.match(String(answer), /200 OK/);
  const ended = once(socket, "close");
  await gateway.close();
  await ended;
});

/** Takes a while, or never ends. */
const SLOW = `
  createNetwork: (nid) => new Promise((done) => { if (nid === "slow") setTimeout(done, 300); }),
`;

test("requests under way are answered before the end: what takes too long in words that say why", async (t) => {
  const { gateway, path, host } = await place(t, SLOW);
  const ask = (NetworkID: string) => post(path, "/NetworkDriver.CreateNetwork", { NetworkID });
  const [slow, hung] = [ask("slow"), ask("hung")];
  await until(() => host.plugins()[0]?.counters.calls === 2, "the calls");
  const began = performance.now();
  const closed = gateway.close();
  assert.equal((await slow).body, {});
  assert.match(String((await hung).body.Err), /did not answer createNetwork before bulkhead was stopped/);
  await closed;
  assert.ok(performance.now() - began < DOCKER.closeMs + 2_000, "it took too long");
});

test("more connections than are allowed: the one idle longest makes room, the engine is served", async (t) => {
  const { path, connect } = await place(t);
  const first = await connect("");
  const ended = once(first, "close");
  for (let n = 0; n < DOCKER.connections; n++) {
    await connect("");
    // The server, in this process, accepts meanwhile.
    if (n % 32 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  assert.equal((await post(path, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
});

test("half a header and half a body are given up in bounded time", async (t) => {
  const { connect } = await place(t);
  const { headerMs, connectionCheckMs } = DOCKER;
  const began = performance.now();
  const sockets = await Promise.all([connect(""), connect(HEAD)]);
  await Promise.all(sockets.map((socket) => once(socket.resume(), "close")));
  assert.ok(performance.now() - began < headerMs + 4 * connectionCheckMs, "it took too long");
});

const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const ODD: readonly (readonly [what: string, method: string, body: string | Buffer, says: RegExp])[] = [
  ["deep options", "CreateNetwork", `{"NetworkID":"n","Options":{"a":${deep(100_000)}}}`, /Options\.a.*: it is nested/],
  ["deep discovery", "DiscoverNew", `{"DiscoveryType":1,"DiscoveryData":${deep(100_000)}}`, /DiscoveryData.*nested/],
  ["deep all over", "Leave", deep(200_000), /nested deeper/],
  ["a key of the prototype", "CreateNetwork", '{"NetworkID":"n","Options":{"__proto__":{}}}', /__proto__/],
  ["a NUL in an id", "Leave", '{"NetworkID":"n\\u0000","EndpointID":"e"}', /NetworkID: must hold no control/],
  ["a NUL in a sandbox", "Join", '{"NetworkID":"n","EndpointID":"e","SandboxKey":"/a\\u0000b"}', /SandboxKey: /],
  ["no UTF-8", "Leave", Buffer.from([0x22, 0xff, 0x22]), /UTF-8/],
  ["too many values", "CreateNetwork", `{"NetworkID":"n","Options":{"a":[${"1,".repeat(30_000)}1]}}`, /Options\.a/],
  ["a number for a body", "CreateEndpoint", "5", /the body: must be an object/],
  ["a list for an object", "CreateNetwork", '{"NetworkID":"n","Options":[]}', /Options: must be an object/],
  ["a number without end", "CreateNetwork", '{"NetworkID":"n","Options":{"a":1e999}}', /Options\.a: Infinity/],
  ["an empty id", "Leave", '{"NetworkID":"","EndpointID":"e"}', /NetworkID: must be a string of 1 to 256/],
  [
    "a long word",
    "CreateNetwork",
    `{"NetworkID":"n","IPv4Data":[{"Pool":"${"1".repeat(129)}"}]}`,
    /IPv4Data\.0\.Pool: /,
  ],
  [
    "an id below 0",
    "CreateEndpoint",
    '{"NetworkID":"n","EndpointID":"e","Interfaces":[{"ID":-1}]}',
    /Interfaces\.0\.ID: /,
  ],
  [
    "many pools",
    "CreateNetwork",
    `{"NetworkID":"n","IPv6Data":[${"{},".repeat(64)}{}]}`,
    /IPv6Data: must have at most 64/,
  ],
];

test("odd bodies are refused with their field or reason", async (t) => {
  const { path } = await place(t);
  for (const [what, method, body, says] of ODD) {
    const reply = await post(path, `/NetworkDriver.${method}`, body);
    assert.is(reply.status, 400, `${what}: ${JSON.stringify(reply.body).slice(0, 300)}`);
    assert.match(String(reply.body.Err), says, what);
  }
});

test.run();
