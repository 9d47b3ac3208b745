/** An operator shapes an endpoint in use: by the control socket and the command; the audit log; a restart; what is refused. */
import { readFileSync } from "node:fs";
import { ControlClient } from "#dist/control/client.js";
import { EndpointConfig, JoinConfig, type PluginHost } from "#dist/index.js";
import { cli } from "../cli/cli.js";
import { bridgeHost } from "../docker/bridge-host.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { generic } from "../plugins/shipped.js";
import { raw } from "./controlled.js";

const test = suite("control/shape");
const EID = "3f2a9c";

async function opened(
  t: TestContext,
  dataDir: string,
): Promise<{ host: PluginHost; client: ControlClient; socket: string }> {
  const host = await bridgeHost(t, dataDir);
  const { path: socket } = await host.control(`${dataDir}/control.sock`);
  return { host, client: new ControlClient(socket), socket };
}

async function joined(host: PluginHost): Promise<void> {
  const driver = host.driver("bridge");
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", rate: "20mbit" }));
  const info = new EndpointConfig();
  await driver.createEndpoint("n", EID, info);
  await driver.join("n", EID, "/run/netns/box", new JoinConfig(info));
}

const shapeOf = async (host: PluginHost): Promise<unknown> =>
  (await host.driver("bridge").endpointOperInfo("n", EID)).shape;

test(
  "amounts are set, taken off and reset; the change survives a restart of the plugin, and is audited",
  async (t) => {
    const dataDir = await t.folder();
    const { host, client } = await opened(t, dataDir);
    await joined(host);
    const reply = await client.ask("shape", { id: EID, body: { delay: "40ms", loss: "1%", rate: "5mbit" } });
    assert.equal(reply.shape, { rate: "5mbit", delay: "40ms", loss: "1%" });
    assert.equal([reply.endpoint, reply.plugin], [EID, "bridge"]);
    assert.match(reply.link, /^bh-/);
    assert.equal(await shapeOf(host), reply.shape);
    const { shape } = await client.ask("shape", { id: EID, body: { delay: null } });
    assert.equal(shape, { rate: "5mbit", loss: "1%" });
    await client.ask("restart", { id: "bridge" });
    assert.equal(await shapeOf(host), shape);

    const lines = (): string => readFileSync(`${dataDir}/audit.jsonl`, "utf8");
    await until(() => lines().includes("delay none"), "it is written");
    const told = lines()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; plugin?: string; detail?: string })
      .filter(({ event, detail }) => event === "operator" && detail?.startsWith("shape "));
    assert.equal(
      told.map(({ plugin, detail }) => [plugin, detail?.replace(/through \S+:/, "through …:")]),
      ["rate 5mbit, delay 40ms, loss 1%", "delay none"].flatMap((amounts) =>
        ["begun", "done"].map((how) => [
          "bridge",
          `shape ${EID} by uid ${process.getuid?.()} through …: ${how}; ${amounts}`,
        ]),
      ),
    );
  },
  { ms: 60_000 },
);

test(
  "what is refused: no endpoint, one that is not joined, amounts that are none, bodies that do not parse",
  async (t) => {
    const { host, client, socket } = await opened(t, await t.folder());
    await joined(host);
    await host.driver("bridge").createEndpoint("n", "idle", new EndpointConfig());
    const refused = async (id: string, body: object): Promise<readonly [string | undefined, string]> => {
      const { code, message } = await rejection(client.ask("shape", { id, body: body as never }));
      return [code, message];
    };
    assert.equal((await refused("none", { rate: "1mbit" }))[0], "ERR_ENDPOINT_NOT_FOUND");
    assert.match((await refused("idle", { rate: "1mbit" }))[1], /has not been joined/);
    for (const rate of ["1 mbit", "1mbit\nqdisc", "-1mbit", "9".repeat(31)])
      assert.equal((await refused(EID, { rate }))[0], "ERR_TRAFFIC_REFUSED", rate);
    for (const body of [
      {},
      { rate: 5 },
      { rate: "x".repeat(33) },
      { speed: "1mbit" },
      { reset: false },
      { reset: true, rate: "1mbit" },
    ])
      assert.equal((await refused(EID, body))[0], "ERR_CONTROL_REQUEST", JSON.stringify(body));
    assert.is((await raw(socket, "POST", `/v1/endpoints/${EID}/shape`, "[]")).status, 400);
    assert.equal(await shapeOf(host), { rate: "20mbit" });
  },
  { ms: 60_000 },
);

test(
  "bulkhead shape: an id's beginning is enough; wrong use says what to give",
  async (t) => {
    const { host, socket } = await opened(t, await t.folder());
    await joined(host);
    const run = (...args: string[]): ReturnType<typeof cli> => cli(["shape", ...args, "--control", socket]);
    const done = await run("3f2", "--rate", "5mbit", "--loss", "0.5%");
    assert.equal([done.exit, done.out], [0, `${EID}: rate 5mbit, loss 0.5%\n`]);
    assert.equal((await run("3f2", "--loss", "none", "--rate", "none")).out, `${EID}: not shaped\n`);
    assert.equal((await run("3f2", "--reset")).out, `${EID}: rate 20mbit\n`);
    assert.equal([(await run("3f2")).exit, (await run("3f2", "--reset", "--rate", "1mbit")).exit], [2, 2]);
    const wrong = await run("3f2", "--rate", "fast");
    assert.is(wrong.exit, 1);
    assert.match(wrong.err, /rate "fast" must be a number and a unit/);
    assert.is((await run("none", "--rate", "1mbit")).exit, 1);
  },
  { ms: 60_000 },
);

test.run();
