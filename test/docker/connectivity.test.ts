/** Which of a container's endpoints publishes its ports: the engine says so, and a driver with the optional pair is told. */
import { join } from "node:path";
import { DockerGateway } from "#dist/docker/gateway.js";
import { assert, suite, type TestContext } from "../harness.js";
import { house } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { LIVING } from "./bridged.js";
import { post, type Reply } from "./socket.js";

const test = suite("docker: external connectivity");
const MAP = "com.docker.network.portmap";
const EXPOSED = "com.docker.network.endpoint.exposedports";
const OPTIONS = { [EXPOSED]: [{ Proto: 6, Port: 80 }], [MAP]: [{ Proto: 6, Port: 80, HostPort: 8080 }] };

const NINE = `
  createEndpoint(nid, eid, info, options) { asked.push(["create", nid, eid, Object.keys(options).sort()]); },
  join(nid, eid, key, info, options) { asked.push(["join", nid, eid, Object.keys(options).sort()]); info.setGateway("10.0.0.1"); },
  leave(nid, eid) { asked.push(["leave", nid, eid]); },
  deleteEndpoint(nid, eid) { asked.push(["delete", nid, eid]); },
  endpointOperInfo() { return { asked: asked.splice(0) }; },
`;
const PAIR = `
  programExternalConnectivity(nid, eid, options) { asked.push(["program", nid, eid, Object.keys(options).sort()]); },
  revokeExternalConnectivity(nid, eid) { asked.push(["revoke", nid, eid]); },
`;

async function place(t: TestContext, methods: string) {
  const at = await house(t, { "net.js": plugin("net", { top: "const asked = [];", methods }) });
  const directory = await t.folder();
  const gateway = await DockerGateway.open({ host: await at.open(), logger: SILENT, directory });
  t.cleanup(() => gateway.close());
  const call = (method: string, body: unknown): Promise<Reply> =>
    post(join(directory, "bulkhead-net.sock"), `/NetworkDriver.${method}`, body);
  for (const NetworkID of ["a", "b", "told"]) assert.equal((await call("CreateNetwork", { NetworkID })).body, {});
  await call("CreateEndpoint", { NetworkID: "told", EndpointID: "told" });
  const asked = async (): Promise<unknown> => {
    const { body } = await call("EndpointOperInfo", { NetworkID: "told", EndpointID: "told" });
    return (body.Value as { readonly asked: unknown }).asked;
  };
  await asked();
  /** One letter each, as they are recorded: `C`, `J`, `P`, `R`, `L`, `D`, and the network. */
  const calls = async (steps: string): Promise<void> => {
    for (const step of steps.split(" ")) {
      const [letter = "", nid = ""] = step;
      const ids = { NetworkID: nid, EndpointID: `e${nid}` };
      const { body } = await call(
        ...({
          C: ["CreateEndpoint", { ...ids, Options: OPTIONS }],
          J: ["Join", { ...ids, SandboxKey: LIVING, Options: OPTIONS }],
          P: ["ProgramExternalConnectivity", { ...ids, Options: OPTIONS }],
          R: ["RevokeExternalConnectivity", ids],
          L: ["Leave", ids],
          D: ["DeleteEndpoint", ids],
        }[letter] as [string, object]),
      );
      assert.is(body.Err, undefined, step);
    }
  };
  return { calls, asked };
}

test("ports come with the endpoint that publishes them alone, exposed ports with every one", async (t) => {
  const { calls, asked } = await place(t, NINE + PAIR);
  await calls("Ca Ja Pa Cb Jb");
  assert.equal(await asked(), [
    ["create", "a", "ea", [EXPOSED]],
    ["join", "a", "ea", [EXPOSED]],
    ["program", "a", "ea", [EXPOSED, MAP].sort()],
    ["create", "b", "eb", [EXPOSED]],
    ["join", "b", "eb", [EXPOSED]],
  ]);
});

test("a container of two networks is removed: its ports move before the first endpoint is deleted", async (t) => {
  const { calls, asked } = await place(t, NINE + PAIR);
  await calls("Ca Ja Pa Cb Jb");
  await asked();
  await calls("Ra La Pb Da Rb Lb Db");
  assert.equal(await asked(), [
    ["revoke", "a", "ea"],
    ["leave", "a", "ea"],
    ["program", "b", "eb", [EXPOSED, MAP].sort()],
    ["delete", "a", "ea"],
    ["revoke", "b", "eb"],
    ["leave", "b", "eb"],
    ["delete", "b", "eb"],
  ]);
});

test("deleted without a word before: its ports are withdrawn, then it is left; a revoke of nothing asks nothing", async (t) => {
  const { calls, asked } = await place(t, NINE + PAIR);
  await calls("Ca Ja Pa");
  await asked();
  await calls("Da Ra");
  assert.equal(await asked(), [
    ["revoke", "a", "ea"],
    ["leave", "a", "ea"],
    ["delete", "a", "ea"],
  ]);
});

test("a driver of the nine methods has the port map with its endpoint, and is asked nothing more", async (t) => {
  const { calls, asked } = await place(t, NINE);
  await calls("Ca Ja Pa Pa Ra La Da");
  assert.equal(await asked(), [
    ["create", "a", "ea", [EXPOSED, MAP].sort()],
    ["join", "a", "ea", [EXPOSED, MAP].sort()],
    ["leave", "a", "ea"],
    ["delete", "a", "ea"],
  ]);
});

test.run();
