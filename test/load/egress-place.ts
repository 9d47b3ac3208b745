/** The place of the rows on egress: a network of that type, and a plain bridge in a namespace of its own, before the same outside. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EndpointConfig, type HostedDriver, JoinConfig } from "bulkhead";
import { startHost } from "#dist/host/plugin-host.js";
import { copyForTest, testPolicy } from "#dist/testing/plugin-copy.js";
import type { TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import type { Container } from "../plugins/container.js";
import { GRANT, networkOptions, type World, world } from "../plugins/egress-house.js";

/** One client asks as fast as it can. */
const PERMISSIONS = { ...GRANT, resolver: { ...GRANT.resolver, queriesPerSecond: 100_000 } };

export interface EgressPlace {
  readonly driver: HostedDriver;
  /** Containers on the two networks. */
  readonly ours: Container;
  readonly plain: Container;
  close(): Promise<void>;
}

/** `allow`: the list of our network. */
export async function openPlace(allow: string): Promise<EgressPlace> {
  const undos: (() => unknown)[] = [];
  const t: TestContext = {
    cleanup: (undo) => void undos.push(undo),
    async folder() {
      const path = await mkdtemp(join(tmpdir(), "bulkhead-load-"));
      undos.push(() => rm(path, { recursive: true, force: true }));
      return path;
    },
  };
  const close = async (): Promise<void> => {
    for (const undo of undos.reverse()) await undo();
  };
  try {
    const around = await world(t);
    // The tests' counters, which only our packets would pass.
    inside(around.outside, "nft", "delete", "table", "inet", "seen");
    const { run: plain, name } = await around.box();
    plainBridge(t, around.outside, name);
    return { ...(await egressNetwork(t, around, allow)), plain, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A host as `createPluginHost` makes it by default, walled and with its workers in processes of their own; a network and a container. */
async function egressNetwork(
  t: TestContext,
  { netns, box }: World,
  allow: string,
): Promise<Pick<EgressPlace, "driver" | "ours">> {
  const copy = await copyForTest(`${REPO}plugins/egress`, undefined);
  t.cleanup(() => copy.remove());
  const policy = { ...testPolicy(copy.found, PERMISSIONS), sandbox: "auto" } as const;
  const host = await startHost({ plugins: copy.folder, policy, backend: "kernel", logger: SILENT, netns }, {});
  t.cleanup(() => host.close());
  const driver = host.driver("egress");
  await driver.createNetwork("n", networkOptions({ allow }));
  const { run: ours, name } = await box();
  await driver.createEndpoint("n", "e", new EndpointConfig());
  await driver.join("n", "e", `/run/netns/${name}`, new JoinConfig());
  const attached = await host.attach({ type: "egress", nid: "n", eid: "e" });
  t.cleanup(() => attached.detach().catch(() => {}));
  return { driver, ours };
}

/**
 * Connects a container's namespace to a bridge as an engine does, with masquerading and without a filter. The bridge has a namespace of its
 * own, where no packet passes our tables, and a cable to outside like ours.
 */
function plainBridge(t: TestContext, outside: string, box: string): void {
  const name = `bht-${randomBytes(4).toString("hex")}`;
  execFileSync("ip", ["netns", "add", name]);
  t.cleanup(() => execFileSync("ip", ["netns", "delete", name]));
  const batch = (at: string, ...lines: string[]): void =>
    void execFileSync("ip", ["-n", at, "-batch", "-"], { input: lines.join("\n") });
  batch(
    name,
    `link add card type veth peer name eth1 netns ${outside}`,
    "addr add 192.0.3.2/24 dev card",
    "link set card up",
    "link add plain0 type bridge",
    "addr add 10.70.1.1/24 dev plain0",
    "link set plain0 up",
    `link add plain1 type veth peer name eth0 netns ${box}`,
    "link set plain1 master plain0 up",
  );
  batch(outside, "addr add 192.0.3.1/24 dev eth1", "link set eth1 up");
  batch(name, "route add default via 192.0.3.1");
  batch(box, "addr add 10.70.1.2/24 dev eth0", "link set eth0 up", "route add default via 10.70.1.1");
  const chain = "chain out { type nat hook postrouting priority 100; ";
  inside(name, "nft", `table ip plain { ${chain} ip saddr 10.70.1.0/24 oifname != "plain0" masquerade\n}\n}`);
  inside(name, "sysctl", "-qw", "net.ipv4.ip_forward=1");
}

function inside(netns: string, ...command: readonly string[]): void {
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, ...command]);
}
