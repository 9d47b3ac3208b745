/** What a driver may not have done by way of a sandbox: the machine's own namespace changed, its gateway answered for, its links moved. */
import { symlink } from "node:fs/promises";
import { attachSandbox, EndpointConfig, JoinConfig } from "#dist/index.js";
import type { Change, NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import { sandboxProblem } from "#dist/permissions/netlink/rules-sandbox.js";
import { assert, rejection, suite } from "../harness.js";
import { generic, serve } from "../plugins/shipped.js";
import { bench, ENDPOINT, JOIN, namespace, noKernel, onBoth, shape, WIRED } from "./bench.js";

const test = suite("sandbox: the machine");

onBoth(test, "the namespace the links are in is not a sandbox, whatever it is called", async (t, kind) => {
  const { does, look, attach, netns } = bench(t, kind);
  await does(WIRED);
  const before = shape(await look());
  for (const way of [netns, `/run/netns/${netns}`]) {
    const error = await rejection(attach(way, ENDPOINT, JOIN));
    assert.is(error.code, "ERR_SANDBOX_FAILED");
    assert.match(error.message, /the machine's own namespace/);
  }
  assert.equal(shape(await look()), before);
});

test(
  "kernel: nor is the platform's own, though it works in another, nor one by a second path",
  async (t) => {
    const { does, look, attach, netns } = bench(t, "kernel");
    await does(WIRED);
    const before = shape(await look());
    const path = `${await t.folder()}/net`;
    await symlink(`/run/netns/${netns}`, path);
    for (const way of [path, "/proc/self/ns/net", `/proc/${process.pid}/ns/net`]) {
      assert.match((await rejection(attach(way, ENDPOINT, JOIN))).message, /the machine's own namespace/, way);
    }
    assert.equal(shape(await look()), before);
  },
  { needs: noKernel },
);

onBoth(test, "on a card's network an endpoint does not answer for the machine's gateway", async (t, kind) => {
  const { host, hub } = await serve(t, "macvlan", kind);
  const driver = host.driver();
  const machine: readonly Change[] = [
    { op: "addAddress", name: "eth0", address: "10.64.0.9/24" },
    { op: "addRoute", destination: "10.99.0.0/16", via: "10.64.0.1", dev: "eth0" },
  ];
  await apply(hub.backend, machine);
  const box = namespace(t, kind);
  await driver.createNetwork("n", generic({ parent: "eth0", subnet: "10.64.0.0/24", gateway: "10.64.0.254" }));
  const attachOne = async (eid: string) => {
    const endpoint = new EndpointConfig();
    await driver.createEndpoint("n", eid, endpoint);
    const join = new JoinConfig(endpoint);
    await driver.join("n", eid, box, join);
    return { endpoint, join };
  };
  const first = await attachOne("e1");
  assert.is(first.endpoint.interfaces()[0]?.address(), "10.64.0.1/24");
  for (const attaching of [
    () => host.host.attach({ type: "macvlan", nid: "n", eid: "e1" }),
    () => attachSandbox({ host: host.host, sandbox: box, ...first }),
  ]) {
    const error = await rejection(attaching());
    assert.is(error.code, "ERR_SANDBOX_FAILED");
    assert.match(error.message, /10\.64\.0\.1\/24 has the address of a gateway the machine uses$/);
  }
  assert.equal([...(await hub.backend.elsewhere(box).look()).links.keys()], ["lo"]);
  await attachOne("e2");
  assert.is((await host.host.attach({ type: "macvlan", nid: "n", eid: "e2" })).links[0]?.name, "eth0");
});

onBoth(test, "attachSandbox moves no link that no plugin of the host made", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  await apply(hub.backend, [{ op: "add", link: { kind: "bridge", name: "card7" } }]);
  const join = { ...JOIN, names: [{ id: 0, srcName: "card7", dstPrefix: "eth" }] };
  const sandbox = namespace(t, kind);
  const error = await rejection(attachSandbox({ host: host.host, sandbox, endpoint: ENDPOINT, join }));
  assert.match(error.message, /"card7" is not a link that a plugin made, and is not moved$/);
  assert.ok((await hub.backend.look()).links.has("card7"));
  await apply(hub.backend, [{ op: "delete", name: "card7" }]);
});

test("MAC addresses of links, addresses of name servers and of the machine's links, save on a network of the plugin's own", () => {
  const link = (name: string, ifindex: number, ip?: string) => ({
    name,
    ifindex,
    up: true,
    mtu: 1500,
    mac: `02:aa:00:00:00:0${ifindex}`,
    addresses: ip === undefined ? [] : [{ ip, prefix: 24 }],
  });
  const links = [
    link("eth0", 2, "10.64.0.9"),
    link("bh-b", 3, "10.65.0.1"),
    link("bh-c", 4),
    link("ot-b", 5, "10.66.0.1"),
  ];
  const view = { links: new Map(links.map((one) => [one.name, one])), routes: [] };
  const owner = (name: string): string | undefined => ({ bh: "bridge", ot: "other" })[name.split("-")[0] ?? ""];
  const resolvers = ["10.64.0.53", "10.65.0.53", "fd64::53"];
  const problem = (cidr: string, mac = ""): string | undefined =>
    sandboxProblem([{ srcName: "bh-c", mac, addresses: [cidr] }], { view, resolvers, owner });
  assert.match(problem("10.65.0.2/24", "02:aa:00:00:00:02") ?? "", /02:aa:00:00:00:02 is the MAC of "eth0"/);
  assert.match(problem("10.65.0.2/24", "02:aa:00:00:00:05") ?? "", /is the MAC of "ot-b"/);
  assert.is(problem("10.65.0.2/24", "02:aa:00:00:00:04"), undefined);
  assert.match(problem("10.64.0.53/24") ?? "", /name server/);
  assert.match(problem("fd64::53/64") ?? "", /name server/);
  assert.match(problem("10.64.0.9/32") ?? "", /has the address of "eth0"/);
  assert.match(problem("10.66.0.1/24") ?? "", /has the address of "ot-b"/);
  for (const fine of ["10.65.0.53/24", "10.64.0.10/24", "fd64::54/64"]) assert.is(problem(fine), undefined, fine);
});

async function apply(backend: NetlinkBackend, changes: readonly Change[]): Promise<void> {
  const { failures } = await backend.apply(changes.map((change) => [{ change }]));
  assert.equal(
    failures.filter((one) => one !== undefined),
    [],
  );
}

test.run();
