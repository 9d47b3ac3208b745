/** `host.attach`: the links of a join that the bridge driver made, put into sandboxes; across crashes, leaves and the host's end. */

import { execFileSync } from "node:child_process";
import { netlinkOf } from "#dist/host/plugin-host.js";
import { attachSandbox, type DriverError, EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { house } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { onDriverKinds } from "../permissions/netlink/backends.js";
import { serve } from "../plugins/shipped.js";
import { type Kind, namespace, noKernel } from "./bench.js";

const test = suite("sandbox: host.attach");

const NETWORK = { "com.docker.network.generic": { subnet: "10.64.0.0/24", subnet6: "fd64::/64" } };

/** The bridge driver in a host of its own, with a network, and what is in a sandbox. */
async function wired(t: TestContext, kind: Kind) {
  const { host: test, hub } = await serve(t, "bridge", kind);
  const driver = test.driver();
  await driver.createNetwork("n", NETWORK);
  const join = async (eid: string, sandbox: string): Promise<{ endpoint: EndpointConfig; join: JoinConfig }> => {
    const endpoint = new EndpointConfig();
    await driver.createEndpoint("n", eid, endpoint);
    const joined = new JoinConfig(endpoint);
    await driver.join("n", eid, sandbox, joined);
    return { endpoint, join: joined };
  };
  return {
    test,
    hub,
    host: test.host,
    driver,
    join,
    at: (eid: string) => ({ type: "bridge", nid: "n", eid }),
    look: (where: string) => hub.backend.elsewhere(where).look({ addresses: true, routes: true }),
    home: () => hub.backend.look({ addresses: true }),
  };
}

onDriverKinds(test, "attached where it was joined; addresses and gateways are the driver's", async (t, kind) => {
  const { host, join, at, look, driver, home } = await wired(t, kind);
  const box = namespace(t, kind);
  await join("e", box);
  const attached = await host.attach(at("e"));
  assert.equal([attached.sandbox, attached.links[0]?.name], [box, "eth0"]);
  assert.equal([attached.gateway, attached.gatewayIPv6], ["10.64.0.1", "fd64::1"]);
  const { links } = await look(box);
  const ips = links.get("eth0")?.addresses.map(({ ip, prefix }) => `${ip}/${prefix}`) ?? [];
  assert.ok(
    ["10.64.0.2/24", "fd64::2/64"].every((one) => ips.includes(one)),
    ips.join(),
  );

  const again = await rejection(host.attach(at("e")));
  assert.is(again.code, "ERR_SANDBOX_ATTACHED");
  assert.match(again.message, new RegExp(`attached already to sandbox "${box}"; detach it first`));
  await attached.detach();
  await (await host.attach(at("e"))).detach();
  await driver.leave("n", "e");
  assert.is((await rejection(host.attach(at("e")))).code, "ERR_ENDPOINT_NOT_JOINED");
  await driver.deleteEndpoint("n", "e");
  assert.is((await rejection(host.attach(at("e")))).code, "ERR_ENDPOINT_NOT_FOUND");
  await driver.deleteNetwork("n");
  assert.is((await rejection(host.attach(at("e")))).code, "ERR_NETWORK_NOT_FOUND");
  assert.equal([...(await home()).links.keys()], ["lo"]);
  assert.equal([...(await look(box)).links.keys()], ["lo"]);
  assert.is((await rejection(host.attach({ ...at("e"), type: "none" }))).code, "ERR_DRIVER_NOT_FOUND");
  assert.is((await rejection(host.attach({ ...at("e"), nid: 5 as never }))).code, "ERR_BAD_ID");
});

onDriverKinds(test, "two at once are one; the other is told so", async (t, kind) => {
  const { host, join, at } = await wired(t, kind);
  await join("e", namespace(t, kind));
  const outcomes = await Promise.allSettled([host.attach(at("e")), host.attach(at("e"))]);
  assert.equal(
    outcomes.map((one) => (one.status === "fulfilled" ? "attached" : (one.reason as DriverError).code)),
    ["attached", "ERR_SANDBOX_ATTACHED"],
  );
});

onDriverKinds(
  test,
  "the worker dies: links stay as they are, the next worker serves, and the endpoint goes as ever",
  async (t, kind) => {
    const { test: kit, host, join, at, look, driver, home } = await wired(t, kind);
    const box = namespace(t, kind);
    await join("e", box);
    const attached = await host.attach(at("e"));
    const before = (await look(box)).links.get("eth0");
    await kit.kill();
    assert.equal({ ...(await look(box)).links.get("eth0") }, { ...before });
    const info = await driver.endpointOperInfo("n", "e");
    assert.is(info.mac, before?.mac);
    await attached.detach();
    await driver.leave("n", "e");
    await driver.deleteEndpoint("n", "e");
    await driver.deleteNetwork("n");
    assert.equal([...(await home()).links.keys()], ["lo"]);
  },
);

onDriverKinds(
  test,
  "left and deleted while attached: the link goes from the sandbox, and detaching is not an error",
  async (t, kind) => {
    const { host, join, at, look, driver } = await wired(t, kind);
    const box = namespace(t, kind);
    await join("e", box);
    const attached = await host.attach(at("e"));
    await driver.leave("n", "e");
    await driver.deleteEndpoint("n", "e");
    assert.equal([...(await look(box)).links.keys()], ["lo"]);
    await attached.detach();
    await join("e", box);
    assert.is((await host.attach(at("e"))).links[0]?.name, "eth0");
  },
);

onDriverKinds(
  test,
  "the host closes: what is in sandboxes goes too, and nothing is attached any more",
  async (t, kind) => {
    const { host, join, at, look } = await wired(t, kind);
    const box = namespace(t, kind);
    await join("e", box);
    await host.attach(at("e"));
    await host.close();
    assert.equal([...(await look(box)).links.keys()], ["lo"]);
    assert.is((await rejection(host.attach(at("e")))).code, "ERR_HOST_CLOSED");
  },
);

onDriverKinds(test, "attachSandbox with a host keeps its records too", async (t, kind) => {
  const { host, join, look, driver, home } = await wired(t, kind);
  const box = namespace(t, kind);
  const given = await join("e", box);
  const attached = await attachSandbox({ sandbox: box, host, ...given });
  await driver.endpointOperInfo("n", "e");
  assert.ok((await look(box)).links.get("eth0")?.up);
  await attached.detach();
  await driver.leave("n", "e");
  await driver.deleteEndpoint("n", "e");
  await driver.deleteNetwork("n");
  assert.equal([...(await home()).links.keys()], ["lo"]);
});

onDriverKinds(test, "thirty endpoints into one sandbox, all at once: names of their own", async (t, kind) => {
  const { host, join, at, look } = await wired(t, kind);
  const box = namespace(t, kind);
  const ids = Array.from({ length: 30 }, (_, n) => `e${n}`);
  await Promise.all(ids.map((eid) => join(eid, box)));
  const all = await Promise.all(ids.map((eid) => host.attach(at(eid))));
  assert.is(new Set(all.map(({ links }) => links[0]?.name)).size, 30);
  assert.is(all.filter(({ gateway }) => gateway !== "").length, 1);
  await Promise.all(all.map((one) => one.detach()));
  assert.equal([...(await look(box)).links.keys()], ["lo"]);
});

onDriverKinds(
  test,
  "a link without another end: away it is still its plugin's, back it is deleted, at the host's end it goes",
  async (t, kind) => {
    const { host: kit, hub } = await serve(t, "macvlan", kind);
    const [driver, { host }] = [kit.driver(), kit];
    const box = namespace(t, kind);
    const options = { parent: "eth0", subnet: "10.64.0.0/24", gateway: "10.64.0.1" };
    await driver.createNetwork("n", { "com.docker.network.generic": options });
    const left = async (where?: string): Promise<readonly string[]> => {
      const at = where === undefined ? hub.backend : hub.backend.elsewhere(where);
      return [...(await at.look()).links.keys()].filter(
        (name) => /^(mv-|eth0$)/.test(name) && (where !== undefined || name !== "eth0"),
      );
    };
    for (const end of ["detached", "deleted in the sandbox", "closed"]) {
      await driver.createEndpoint("n", end, new EndpointConfig());
      await driver.join("n", end, box, new JoinConfig());
      const attached = await host.attach({ type: "macvlan", nid: "n", eid: end });
      assert.equal(await left(box), ["eth0"]);
      // Others of its links are looked at meanwhile: one that is away is not one that is gone.
      await driver.endpointOperInfo("n", end);
      await kit.kill();
      if (end === "closed") break;
      if (end === "detached") {
        await attached.detach();
        assert.is((await driver.endpointOperInfo("n", end)).inSandbox, false);
      }
      await driver.leave("n", end);
      await driver.deleteEndpoint("n", end);
      assert.equal([...(await left()), ...(await left(box))], [], end);
    }
    await host.close();
    assert.equal([...(await left()), ...(await left(box))], []);
  },
);

test("a link that is not the plugin's own is not moved, though it was not there yet at the join", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", { methods: 'join: (n, e, s, jinfo) => jinfo.interfaceNames()[0].setNames("card7", "eth"),' }),
  });
  const host = await open({ backend: "model" });
  const a = host.driver("a");
  await a.createNetwork("n");
  await a.createEndpoint("n", "e", new EndpointConfig([{ id: 0, ipv4: "10.64.0.2/24" }]));
  await a.join("n", "e", "box", new JoinConfig());
  const hub = netlinkOf(host);
  await hub?.backend.apply([[{ change: { op: "add", link: { kind: "bridge", name: "card7" } } }]]);
  const error = await rejection(host.attach({ type: "a", nid: "n", eid: "e" }));
  assert.is(error.code, "ERR_SANDBOX_FAILED");
  assert.match(error.message, /interface 0: "card7" is not a link that plugin "a" made, and is not moved/);
  assert.ok((await hub?.backend.look())?.links.has("card7"));
});

test(
  "kernel: packets flow between two sandboxes, by the driver's gateway too",
  async (t) => {
    const { host, join, at } = await wired(t, "kernel");
    const boxes = [namespace(t, "kernel"), namespace(t, "kernel")];
    for (const [n, box] of boxes.entries()) {
      await join(`e${n}`, box);
      await host.attach(at(`e${n}`));
    }
    const [a = ""] = boxes;
    for (const target of ["10.64.0.3", "10.64.0.1"]) {
      execFileSync("ip", ["netns", "exec", a, "busybox", "ping", "-c1", "-W5", target]);
    }
    for (const target of ["fd64::3", "fd64::1"]) {
      execFileSync("ip", ["netns", "exec", a, "busybox", "ping", "-6", "-c1", "-W5", target]);
    }
  },
  { needs: noKernel },
);

onDriverKinds(
  test,
  "a number that is taken inside: the link has another there, and is its plugin's own when it is back",
  async (t, kind) => {
    const { hub, host, join, at, driver, home } = await wired(t, kind);
    const box = namespace(t, kind);
    const inside = hub.backend.elsewhere(box);
    for (let n = 0; n < 8; n++) {
      await inside.apply([[{ change: { op: "add", link: { kind: "bridge", name: `x${n}` } } }]]);
    }
    await join("e", box);
    const attached = await host.attach(at("e"));
    await attached.detach();
    await driver.endpointOperInfo("n", "e");
    await (await host.attach(at("e"))).detach();
    await driver.leave("n", "e");
    await driver.deleteEndpoint("n", "e");
    await driver.deleteNetwork("n");
    assert.equal([...(await home()).links.keys()], ["lo"]);
  },
);

test.run();
