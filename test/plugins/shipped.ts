/** The drivers that ship, tried on the model and, in a throwaway namespace, on the kernel. */
import "../kit/bundles.js";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { netlinkOf } from "#dist/host/plugin-host.js";
import type { FirewallLimits } from "#dist/permissions/firewall/grant.js";
import type { NetlinkLimits } from "#dist/permissions/netlink/grant.js";
import type { NetlinkHub } from "#dist/permissions/netlink/hub.js";
import type { TrafficLimits } from "#dist/permissions/traffic/grant.js";
import {
  type ContractOptions,
  createTestHost,
  driverContract,
  type TestHost,
  type TestHostOptions,
} from "#dist/testing.js";
import { assert, type Suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { DRIVER_KINDS, type KINDS, noKernel } from "../permissions/netlink/backends.js";

export type Kind = (typeof KINDS)[number];

/** The machine's own links, for macvlan. */
export const PARENTS = ["eth0", "eth1", "eth2", "eth3"] as const;

type Driver = "bridge" | "egress" | "macvlan" | "overlay";

/** What each driver is granted. */
const GRANTS: Readonly<Record<Driver, Partial<NetlinkLimits>>> = {
  bridge: { kinds: ["bridge", "veth"], prefix: "bh", subnets: ["10.64.0.0/10", "fd64::/32"], max: 4096 },
  egress: { kinds: ["bridge", "veth"], prefix: "eg", subnets: ["10.64.0.0/10", "fd64::/32"], max: 4096 },
  macvlan: {
    kinds: ["macvlan"],
    prefix: "mv",
    subnets: ["10.64.0.0/10", "fd64::/32"],
    parents: [...PARENTS],
    max: 4096,
  },
  overlay: {
    kinds: ["bridge", "veth", "vxlan"],
    prefix: "ov",
    subnets: ["10.64.0.0/10", "fd64::/32"],
    parents: ["eth0"],
    vniFrom: 4096,
    vniTo: 4223,
    remotes: ["198.51.100.0/24", "fd99::/64"],
    ports: [4789],
    max: 4096,
  },
};

/** The overlay driver's own host. */
const OVERLAY_HOST = { host: "h1", address: "198.51.100.1", parent: "eth0" };

interface Shipped {
  readonly limits?: Partial<NetlinkLimits> | undefined;
  readonly firewall?: Partial<FirewallLimits> | undefined;
  readonly traffic?: Partial<TrafficLimits> | undefined;
  /** Gives the namespace of a test on the kernel. */
  readonly netns?: typeof namespace;
}

/** Options of the test host for one driver. */
function shipped(
  t: TestContext,
  driver: Driver,
  kind: Kind,
  { limits, firewall, traffic, netns = namespace }: Shipped,
): TestHostOptions {
  const permissions = {
    netlink: { ...GRANTS[driver], ...limits },
    ...(firewall ? { firewall } : {}),
    ...(traffic ? { traffic } : {}),
  };
  const plugin = join(REPO, "plugins", driver);
  const links = driver === "macvlan" ? [...PARENTS] : driver === "overlay" ? ["eth0"] : [];
  const more = driver === "overlay" ? { policy: { options: { overlay: OVERLAY_HOST } } } : {};
  const cidr = `${OVERLAY_HOST.address}/24`;
  if (kind === "model") {
    const addresses = driver === "overlay" ? [cidr] : [];
    return { plugin, permissions, links: links.map((name) => ({ name, addresses })), ...more };
  }
  const space = netns(t, links);
  if (driver === "overlay") execFileSync("ip", ["-n", space, "address", "replace", cidr, "dev", "eth0"]);
  return { plugin, permissions, backend: "kernel", netns: space, ...more };
}

/** A namespace that is gone after the test, and in which no link must be left then but those it began with. */
export function namespace(t: TestContext, links: readonly string[]): string {
  const made = makeNamespace(links);
  t.cleanup(() => {
    try {
      made.nothingIsLeft();
    } finally {
      made.remove();
    }
  });
  return made.name;
}

interface Namespace {
  readonly name: string;
  /** Asserts that its links are those it began with. */
  nothingIsLeft(): void;
  remove(): void;
}

function makeNamespace(links: readonly string[]): Namespace {
  const name = `bht-${randomBytes(4).toString("hex")}`;
  const ip = (args: readonly string[], input = ""): string => execFileSync("ip", args, { encoding: "utf8", input });
  const all = (): readonly string[] => {
    const links = JSON.parse(ip(["-n", name, "-json", "link"])) as readonly { readonly ifname: string }[];
    return links.map(({ ifname }) => ifname).sort();
  };
  ip(["netns", "add", name]);
  const pairs = links.flatMap((link) => [
    `link add ${link} type veth peer name w-${link}`,
    ...[link, `w-${link}`].map((end) => `link set ${end} up`),
  ]);
  ip(["-n", name, "-batch", "-"], ["link set lo up", ...pairs].join("\n"));
  const before = all();
  return {
    name,
    nothingIsLeft: () => assert.equal(all(), before, "links that are left"),
    remove: () => void ip(["netns", "delete", name]),
  };
}

/** Namespaces that a file's tests take one after the other, by the links they begin with; removed when the process ends. */
const kept = new Map<string, Namespace>();
process.once("exit", () => {
  for (const { remove } of kept.values()) remove();
});

/** A namespace for a test that leaves it as it was, which is asserted after the test. One that was not is not used again. */
function keptNamespace(t: TestContext, links: readonly string[]): string {
  const key = links.join();
  const found = kept.get(key) ?? makeNamespace(links);
  kept.set(key, found);
  t.cleanup(() => {
    try {
      found.nothingIsLeft();
    } catch (error) {
      kept.delete(key);
      found.remove();
      throw error;
    }
  });
  return found.name;
}

/** A test host over a shipped driver; closed after the test. */
export async function serve(
  t: TestContext,
  driver: Driver,
  kind: Kind,
  more: Partial<TestHostOptions> & {
    readonly limits?: Partial<NetlinkLimits>;
    readonly firewall?: Partial<FirewallLimits>;
    readonly traffic?: Partial<TrafficLimits>;
  } = {},
): Promise<{ readonly host: TestHost; readonly hub: NetlinkHub }> {
  const { limits, firewall, traffic, ...options } = more;
  const host = await createTestHost({ ...shipped(t, driver, kind, { limits, firewall, traffic }), ...options });
  t.cleanup(() => host.close());
  const hub = netlinkOf(host.host);
  if (!hub) throw new Error("the host has no netlink");
  return { host, hub };
}

/** A test per rule of the contract and backend. */
export function keepsTheContract(
  test: Suite,
  driver: Driver,
  options: Partial<ContractOptions>,
  {
    kinds = DRIVER_KINDS,
    firewall,
  }: { readonly kinds?: readonly Kind[]; readonly firewall?: Partial<FirewallLimits> } = {},
): void {
  for (const { id, says } of driverContract({ plugin: driver })) {
    for (const kind of kinds) {
      test(
        `${kind}${firewall ? " with a firewall" : ""}: ${id}: ${says}`,
        async (t) => {
          // In the kernel every round is several runs of ip: fewer must do.
          const rounds = kind === "kernel" ? 10 : 260;
          const rules = driverContract({
            ...shipped(t, driver, kind, { firewall, netns: keptNamespace }),
            rounds,
            ...options,
          });
          await rules.find((rule) => rule.id === id)?.run();
        },
        { ms: 60_000, needs: kind === "kernel" && noKernel },
      );
    }
  }
}

/** The network options under Docker's key. */
export function generic(options: object): Record<string, never> {
  return { "com.docker.network.generic": options } as unknown as Record<string, never>;
}

/** One of a plugin's own files as a module, for tests of its parts. */
export async function partOf<T>(t: TestContext, driver: Driver, file: string): Promise<T> {
  const folder = join(await t.folder(), "part");
  await mkdir(folder);
  const { outputFiles } = await build({
    entryPoints: [join(REPO, "plugins", driver, file)],
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
  });
  const path = join(folder, "part.mjs");
  await writeFile(path, outputFiles[0]?.text ?? "");
  return (await import(pathToFileURL(path).href)) as T;
}
