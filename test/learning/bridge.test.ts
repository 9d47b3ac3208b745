/** The grant learned from the bridge driver equals one written by hand, and suffices for the same work and for no more. */

import { join } from "node:path";
import { ControlClient } from "#dist/control/client.js";
import { usageOf } from "#dist/host/plugin-host.js";
import { EndpointConfig, type HostedDriver, JoinConfig } from "#dist/index.js";
import type { FirewallLimits } from "#dist/permissions/firewall/grant.js";
import type { NetlinkLimits } from "#dist/permissions/netlink/grant.js";
import type { TestHost } from "#dist/testing.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { generic, serve } from "../plugins/shipped.js";

const test = suite("learning: the bridge driver");

/** Ports that are far more than it needs. */
const WIDE = { firewall: { ports: ["1-65535"], max: 100 } } as const;

/** What an operator who knows the work below would grant: a bridge and a veth pair for each of two endpoints, in either network. */
const BY_HAND = {
  store: true,
  netlink: {
    kinds: ["bridge", "veth"],
    prefix: "bh",
    max: 10,
    // 10.64.2.0/24 and 10.64.3.0/24.
    subnets: ["10.64.2.0/23", "fd64:0:0:2::/64"],
  },
  // Three subnets are masqueraded, two bridges isolated, two ports published for IPv4 and IPv6.
  firewall: { ports: ["8080-8081"], max: 9 },
} as const;

/** Two networks, each with two endpoints; one publishes two ports. */
async function work(driver: HostedDriver): Promise<void> {
  await driver.createNetwork("a", generic({ subnet: "10.64.2.0/24", subnet6: "fd64:0:0:2::/64" }));
  await driver.createNetwork("b", generic({ subnet: "10.64.3.0/24" }));
  for (const network of ["a", "b"]) {
    for (const endpoint of ["1", "2"]) {
      const config = new EndpointConfig();
      await driver.createEndpoint(network, network + endpoint, config);
      await driver.join(network, network + endpoint, `/sandbox/${network}${endpoint}`, new JoinConfig(config));
    }
  }
  const port = (hostPort: number) => ({
    Proto: 6,
    IP: "",
    Port: 80,
    HostIP: "",
    HostPort: hostPort,
    HostPortEnd: hostPort,
  });
  await driver.programExternalConnectivity("a", "a1", {
    "com.docker.network.portmap": [port(8080), port(8081)],
  } as never);
}

async function undo(driver: HostedDriver): Promise<void> {
  await driver.revokeExternalConnectivity("a", "a1");
  for (const network of ["a", "b"]) {
    for (const endpoint of ["1", "2"]) {
      await driver.leave(network, network + endpoint);
      await driver.deleteEndpoint(network, network + endpoint);
    }
    await driver.deleteNetwork(network);
  }
}

async function asked(t: TestContext, host: TestHost) {
  const { path } = await host.host.control(join(await t.folder(), "control.sock"));
  return new ControlClient(path).ask("learn", { id: "bridge", body: { seconds: 0 } });
}

test("learned from what it holds: as by hand", async (t) => {
  const { host } = await serve(t, "bridge", "model", WIDE);
  await work(host.driver());
  const { grant, kept, unused, differences } = await asked(t, host);
  assert.equal(grant, BY_HAND);
  // Its manifest needs the store, which this work does not use.
  assert.equal(kept, ["store"]);
  assert.equal(unused, []);
  assert.ok(differences.length >= 4 && differences.every(({ way }) => way !== "more"), JSON.stringify(differences));
});

test("learned from what it does meanwhile, though nothing is left: as by hand", async (t) => {
  const { host } = await serve(t, "bridge", "model", WIDE);
  await work(host.driver());
  await undo(host.driver());
  const before = await asked(t, host);
  assert.equal([before.kept, before.unused], [["store", "netlink"], ["firewall"]], "what is gone is not used");
  const done = await usageOf(host.host, "bridge");
  await work(host.driver());
  await undo(host.driver());
  const usage = await done?.();
  assert.equal([...(usage?.netlink?.kinds ?? [])].sort(), BY_HAND.netlink.kinds);
  assert.is(usage?.netlink?.links, BY_HAND.netlink.max);
  assert.equal(usage?.firewall, { rules: BY_HAND.firewall.max, ports: [8080, 8081] });
});

test("the learned grant suffices for the same, and for no more", async (t) => {
  const { host } = await serve(t, "bridge", "model", WIDE);
  await work(host.driver());
  const { grant } = await asked(t, host);
  const { netlink, firewall } = grant as unknown as { netlink: Partial<NetlinkLimits>; firewall: FirewallLimits };
  const { host: bounded } = await serve(t, "bridge", "model", {
    limits: netlink,
    firewall,
    policy: { grant: grant as never },
  });
  const driver = bounded.driver();
  await work(driver);
  const more = await rejection(driver.createEndpoint("a", "a3", new EndpointConfig()));
  assert.match(more.message, /max|limit|grant/);
  await undo(driver);
  const other = await rejection(driver.createNetwork("c", generic({ subnet: "10.64.4.0/24" })));
  assert.match(other.message, "10.64.4.");
});

test.run();
