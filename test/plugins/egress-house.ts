/** A host whose egress driver works in a namespace, an outside with a name server and web servers, and containers. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { EndpointConfig, type HostedDriver, JoinConfig } from "#dist/index.js";
import { createTestHost, type TestHost } from "#dist/testing.js";
import type { TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { type Container, containerIn } from "./container.js";
import { address, type NameServer, nameServerIn, type Zone } from "./name-server.js";
import { generic, namespace } from "./shipped.js";

/** Addresses outside: those that names lead to, and one that nothing lists. */
export const WEB = "198.51.100.1";
export const WEB6 = "2001:db8:1::1";
export const OTHER = "198.51.100.2";
export const UNLISTED = "198.51.100.66";
export const UNLISTED6 = "2001:db8:1::66";
export const NAMES = "203.0.113.53";

const ZONE: Zone = {
  "api.example.com": [address(WEB, 30), address(WEB6, 30)],
  "fresh.example.com": [address(WEB, 0)],
  "moves.example.com": [address(WEB, 1)],
  "deb.mirror.example": [address(OTHER, 30)],
  "unlisted.example.com": [address(UNLISTED, 30)],
};

/** What the driver is granted. */
export const GRANT = {
  netlink: { kinds: ["bridge", "veth"], prefix: "eg", subnets: ["10.64.0.0/10", "fd64::/32"], max: 4096 },
  firewall: { ports: [], max: 4096 },
  resolver: { upstreams: [NAMES] },
} as const;

/** Options of the network "n": 10.64.1.0/24 and fd64:0:0:1::/64. */
export function networkOptions(options: object): Record<string, never> {
  return generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64", ...options });
}

/** Namespaces without a host: its own, and an outside with a name server and web servers. */
export interface World {
  readonly netns: string;
  readonly outside: string;
  readonly names: NameServer;
  /** A namespace for a container, and what runs in it. */
  box(): Promise<{ readonly run: Container; readonly name: string }>;
  /** Packets that came out for the unlisted addresses so far, or for another port than 80 to 82 and 443. */
  strays(): number;
}

export interface Home extends World {
  readonly host: TestHost;
  readonly driver: HostedDriver;
  /** Connects a container to the network. `name`: its namespace. */
  container(eid: string): Promise<{ readonly run: Container; readonly name: string }>;
}

export async function world(t: TestContext): Promise<World> {
  const netns = namespace(t, []);
  const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
  const space = (): string => {
    const name = `bht-${randomBytes(4).toString("hex")}`;
    ip("netns", "add", name);
    t.cleanup(() => ip("netns", "delete", name));
    ip("-n", name, "link", "set", "lo", "up");
    return name;
  };
  const outside = space();
  ip("-n", netns, "link", "add", "card", "type", "veth", "peer", "name", "eth0", "netns", outside);
  t.cleanup(() => ip("-n", netns, "link", "delete", "card"));
  for (const [at, name, addresses] of [
    [netns, "card", ["192.0.2.2/24", "2001:db8::2/64"]],
    [outside, "eth0", ["192.0.2.1/24", "2001:db8::1/64"]],
  ] as const) {
    ip("-n", at, "link", "set", name, "up");
    for (const one of addresses) ip("-n", at, "addr", "add", one, "dev", name, "nodad");
  }
  for (const one of [WEB, OTHER, UNLISTED, NAMES]) ip("-n", outside, "addr", "add", `${one}/32`, "dev", "lo");
  for (const one of [WEB6, UNLISTED6]) ip("-n", outside, "addr", "add", `${one}/128`, "dev", "lo", "nodad");
  ip("-n", netns, "route", "add", "default", "via", "192.0.2.1");
  ip("-n", netns, "-6", "route", "add", "default", "via", "2001:db8::1");
  nft(
    outside,
    `table inet seen { chain input { type filter hook input priority 0;
      ip daddr ${UNLISTED} counter; ip6 daddr ${UNLISTED6} counter;
      iifname eth0 tcp dport != { 80, 81, 82, 443, 53 } tcp flags & (syn | ack) == syn counter;
      iifname eth0 ip saddr != 192.0.2.2 counter
    }
    }`,
  );
  const names = await nameServerIn(t, outside, NAMES, ZONE);
  await webServers(t, outside, 80, 443, 81, 82, 7000);
  return {
    netns,
    outside,
    names,
    async box() {
      const name = space();
      return { run: await containerIn(t, name), name };
    },
    strays() {
      const text = execFileSync("nsenter", [`--net=/run/netns/${outside}`, "nft", "list", "table", "inet", "seen"], {
        encoding: "utf8",
      });
      return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
    },
  };
}

/** A host in a world, with a network "n" of these options. */
export async function home(
  t: TestContext,
  options: object,
  permissions: object = GRANT,
  around?: World,
): Promise<Home> {
  around ??= await world(t);
  const host = await createTestHost({
    plugin: `${REPO}plugins/egress`,
    permissions,
    backend: "kernel",
    netns: around.netns,
  });
  t.cleanup(() => host.close());
  const driver = host.driver();
  await driver.createNetwork("n", networkOptions(options));
  return {
    ...around,
    host,
    driver,
    async container(eid) {
      const box = await around.box();
      await driver.createEndpoint("n", eid, new EndpointConfig());
      await driver.join("n", eid, `/run/netns/${box.name}`, new JoinConfig());
      const attached = await host.host.attach({ type: "egress", nid: "n", eid });
      t.cleanup(() => attached.detach().catch(() => {}));
      return box;
    },
  };
}

function nft(netns: string, text: string): void {
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, "nft", "-f", "-"], {
    input: text,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Serves ports of every address of a namespace until the test ends. */
async function webServers(t: TestContext, netns: string, ...ports: readonly number[]): Promise<void> {
  const script = fileURLToPath(new URL("web-server-main.js", import.meta.url));
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, script, WEB, ...ports.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
}
