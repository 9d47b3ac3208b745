/**
 * What an engine that was killed left behind, and asks for again: its address, its port. What is gone gives way at once; what lives
 * does not, and the refusal names it.
 */
import { join } from "node:path";
import { assert, suite, until } from "../harness.js";
import { plugin } from "../kit/plugins.js";
import { reboot } from "./bridge-host.js";
import { bridged, LIVING } from "./bridged.js";
import { engineWith } from "./engine-api.js";

const test = suite("docker: takeover");
const SUBNET = "10.64.1.0/24";

test("an engine killed and started again: the same address and port, under another endpoint's id", async (t) => {
  const { network, run, gone, endpoints } = await bridged(t);
  await network("n", SUBNET);
  assert.is(await run({ endpoint: "e1", address: "10.64.1.2", sandbox: gone, port: 8080 }), undefined);
  assert.is(await run({ endpoint: "e2", address: "10.64.1.2", sandbox: LIVING, port: 8080 }), undefined);
  assert.equal(endpoints(), ["e2"]);
});

test("the port alone: held by an endpoint with another address, and on another network, whose sandbox is gone", async (t) => {
  const { network, run, gone, endpoints } = await bridged(t);
  await network("n", SUBNET);
  await network("m", "10.64.2.0/24");
  assert.is(await run({ endpoint: "e1", address: "10.64.1.2", sandbox: gone, port: 8080 }), undefined);
  assert.is(await run({ endpoint: "e2", address: "10.64.1.3", sandbox: gone, port: 8080 }), undefined);
  assert.equal(endpoints(), ["e2"]);
  assert.is(await run({ network: "m", endpoint: "e3", address: "10.64.2.2", sandbox: LIVING, port: 8080 }), undefined);
  assert.equal([endpoints(), endpoints("m")], [[], ["e3"]]);
});

test("a power cut: the old endpoint, whose join is forgotten, gives way at once, by its address and by its port", async (t) => {
  const dataDir = join(await t.folder(), "data");
  const before = await bridged(t, { dataDir });
  await before.network("n", SUBNET);
  assert.is(await before.run({ endpoint: "e1", address: "10.64.1.2", sandbox: LIVING, port: 8080 }), undefined);
  assert.is(await before.run({ endpoint: "e2", address: "10.64.1.3", sandbox: LIVING, port: 8081 }), undefined);
  await before.close();
  await reboot(dataDir);
  const { run, endpoints } = await bridged(t, { dataDir });
  assert.is(await run({ endpoint: "e3", address: "10.64.1.2", sandbox: LIVING, port: 8080 }), undefined);
  assert.is(await run({ endpoint: "e4", address: "10.64.1.9", sandbox: LIVING, port: 8081 }), undefined);
  // What was programmed went with the machine's run, so e2 holds no port any more: it is left for the collector.
  assert.equal(endpoints(), ["e2", "e3", "e4"]);
});

test("only what is in the way is dropped", async (t) => {
  const { network, run, gone, endpoints } = await bridged(t);
  await network("n", SUBNET);
  assert.is(await run({ endpoint: "e1", address: "10.64.1.2", sandbox: gone, port: 8081 }), undefined);
  assert.is(await run({ endpoint: "e2", address: "10.64.1.3", sandbox: LIVING, port: 8080 }), undefined);
  assert.equal(endpoints(), ["e1", "e2"]);
});

test("an address whose container still runs is refused, by the container's name; both are as before", async (t) => {
  const engine = await engineWith(t, [{ name: "web", network: "front", endpoint: "e1" }]);
  const { network, run, endpoints, call } = await bridged(t, { engine });
  await network("n", SUBNET);
  assert.is(await run({ endpoint: "e1", address: "10.64.1.2", sandbox: LIVING }), undefined);
  assert.is(
    await run({ endpoint: "e2", address: "10.64.1.2", sandbox: LIVING }),
    "address 10.64.1.2 is in use by container web (network front); remove that container, or choose another address",
  );
  assert.equal(endpoints(), ["e1"]);
  assert.is((await call("EndpointOperInfo", { NetworkID: "n", EndpointID: "e1" })).body.Err, undefined);
});

test("a port of a container that runs is refused in the engine's words, with its name; without an engine, with its endpoint", async (t) => {
  const engine = await engineWith(t, [{ name: "web", network: "front", endpoint: "e1" }]);
  const named = await bridged(t, { engine });
  const unnamed = await bridged(t);
  const words = "Bind for 0.0.0.0:8080 failed: port is already allocated by";
  for (const [at, who] of [
    [named, "container web (network front)"],
    [unnamed, "the container with endpoint e1 (network n)"],
  ] as const) {
    await at.network("n", SUBNET);
    assert.is(await at.run({ endpoint: "e1", address: "10.64.1.2", sandbox: LIVING, port: 8080 }), undefined);
    const refused = await at.run({ endpoint: "e2", address: "10.64.1.3", sandbox: LIVING, port: 8080 });
    assert.is(refused, `${words} ${who}; stop that, or publish another port`);
    assert.is((await at.call("EndpointOperInfo", { NetworkID: "n", EndpointID: "e1" })).body.Err, undefined);
  }
});

/** Publishes port 8080 from its start, on a bridge of its own. */
const OTHER = plugin("other", {
  start: `
  await powers.netlink.createLink({ kind: "bridge", name: "ot-b" });
  await powers.netlink.setLink("ot-b", { up: true });
  await powers.netlink.addAddress("ot-b", "10.80.0.1/24");
  await powers.firewall.publish({ bridge: "ot-b", protocol: "tcp", hostPort: 8080, ip: "10.80.0.2", port: 80 });`,
});

test("a port that another plugin publishes is refused in that plugin's name", async (t) => {
  const { network, run } = await bridged(t, { also: { other: OTHER } });
  await network("n", SUBNET);
  assert.is(
    await run({ endpoint: "e1", address: "10.64.1.2", sandbox: LIVING, port: 8080 }),
    'Bind for 0.0.0.0:8080 failed: port is already allocated by a network of plugin "other"; stop that, or publish another port',
  );
});

test("a port outside the grant is refused with what to do, and no rule's name", async (t) => {
  const { network, run } = await bridged(t);
  await network("n", SUBNET);
  const words = await run({ endpoint: "e1", address: "10.64.1.2", sandbox: LIVING, port: 80 });
  assert.match(
    String(words),
    /port 80 is not within 8000-8999; publish another, or have the "ports" of plugin "bridge" widened/,
  );
  assert.not.match(String(words), /refused by rule/);
});

test("an endpoint is asked for again: in the same words it is answered, in others it is replaced, in use it is refused", async (t) => {
  const { network, run, call, endpoints } = await bridged(t);
  await network("n", SUBNET);
  const ids = { NetworkID: "n", EndpointID: "e1" };
  const asked = (Address: string, MacAddress = "", Options: object = {}) =>
    call("CreateEndpoint", { ...ids, Interface: { Address, AddressIPv6: "", MacAddress }, Options });
  const has = async (): Promise<unknown> => {
    const { addresses, mac } = (await call("EndpointOperInfo", ids)).body.Value as Record<string, unknown>;
    return [addresses, mac];
  };
  for (const again of ["first", "again"])
    assert.equal((await asked("10.64.1.2/24")).body, { Interface: { MacAddress: "02:42:0a:40:01:02" } }, again);
  assert.equal((await asked("10.64.1.3/24")).body, { Interface: { MacAddress: "02:42:0a:40:01:03" } });
  assert.equal(await has(), [["10.64.1.3/24"], "02:42:0a:40:01:03"]);
  assert.equal((await asked("10.64.1.3/24", "02:00:00:00:00:09")).body, {});
  assert.equal(await has(), [["10.64.1.3/24"], "02:00:00:00:00:09"]);
  await call("Join", { ...ids, SandboxKey: LIVING, Options: {} });
  assert.match(String((await asked("10.64.1.4/24")).body.Err), /endpoint e1 exists already on network n with another/);
  assert.equal(await has(), [["10.64.1.3/24"], "02:00:00:00:00:09"]);
  // The address that was given up is another's to have.
  assert.is(await run({ endpoint: "e2", address: "10.64.1.2", sandbox: LIVING }), undefined);
  assert.equal(endpoints(), ["e1", "e2"]);
});

test("the log says which ports were chosen", async (t) => {
  const { network, run, log } = await bridged(t);
  await network("n", SUBNET);
  assert.is(await run({ endpoint: "e1", address: "10.64.1.2", sandbox: LIVING, port: 0 }), undefined);
  const line = await until(() => log.find(({ text }) => text.includes("publishes")), "the line");
  assert.is(line.level, "info");
  assert.is(line.text, "docker: endpoint e1 of network n publishes 0.0.0.0:8000->80/tcp");
  assert.equal(line.fields.ports, ["0.0.0.0:8000->80/tcp"]);
});

test.run();
