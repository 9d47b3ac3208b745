/** A namespace with links, and sandboxes beside it: of the kernel, or of a model; all of it gone after the test. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { JoinData } from "#dist/index.js";
import type { Change, NamespaceView, NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import { openBackend } from "#dist/permissions/netlink/choose.js";
import { attach, type HomeNamespace } from "#dist/sandbox/attachment.js";
import { openNamespace, type SandboxNamespace } from "#dist/sandbox/namespace.js";
import { planSandbox } from "#dist/sandbox/plan.js";
import type { AttachedSandbox } from "#dist/sandbox/sandbox.js";
import type { TestContext } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";

export { onBoth } from "../permissions/netlink/backends.js";
export { noKernel };

export type Kind = "kernel" | "model";

/** A fresh namespace's name; in the kernel it is there until the test ends. */
export function namespace(t: TestContext, kind: Kind): string {
  const name = `bhs-${randomBytes(4).toString("hex")}`;
  if (kind === "kernel") {
    execFileSync("ip", ["netns", "add", name]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", name]));
  }
  return name;
}

export interface SandboxBench {
  readonly home: HomeNamespace;
  readonly netns: string;
  /** What has been told to the ledger, in order. */
  readonly notes: readonly string[];
  /** A sandbox beside it. */
  sandbox(): string;
  /** What the machine itself does, in the home namespace or another. Throws when one fails. */
  does(changes: readonly Change[], where?: string): Promise<void>;
  look(where?: string): Promise<NamespaceView>;
  attach(
    sandbox: string,
    endpoint: unknown,
    join: Partial<JoinData>,
    seam?: HomeNamespace["open"],
  ): Promise<AttachedSandbox>;
}

export function bench(t: TestContext, kind: Kind): SandboxBench {
  const netns = namespace(t, kind);
  const backend = openBackend({ backend: kind, netns });
  const notes: string[] = [];
  const home: HomeNamespace = {
    backend,
    netns,
    problem: async () => undefined,
    moved: async (link, to) => void notes.push(`${link} to ${to}`),
    returned: async (link) => void notes.push(`${link} back`),
  };
  const at = (where: string | undefined): NetlinkBackend => (where === undefined ? backend : backend.elsewhere(where));
  return {
    home,
    netns,
    notes,
    sandbox: () => namespace(t, kind),
    async does(changes, where) {
      const { failures } = await at(where).apply(changes.map((change) => [{ change }]));
      const failure = failures.find((one) => one !== undefined);
      if (failure) throw new Error(`the test's own change failed: ${failure.words}`);
    },
    look: (where) => at(where).look({ addresses: true, routes: true, kinds: true }),
    attach: (sandbox, endpoint, join, open) => attach({ ...home, open }, sandbox, planSandbox(endpoint, join)),
  };
}

/** A veth on a bridge with the gateway's addresses, as a driver would have left it. */
export const WIRED: readonly Change[] = [
  { op: "add", link: { kind: "bridge", name: "bh-b", mtu: 1400 } },
  { op: "addAddress", name: "bh-b", address: "10.64.0.1/24" },
  { op: "addAddress", name: "bh-b", address: "fd64::1/64" },
  { op: "up", name: "bh-b" },
  { op: "add", link: { kind: "veth", name: "bh-h", peer: "bh-c", mtu: 1400, peerMac: "02:42:0a:40:00:99" } },
  { op: "alias", name: "bh-c", alias: "bulkhead:test:bridge:bh-c" },
  { op: "master", name: "bh-h", master: "bh-b" },
  { op: "up", name: "bh-h" },
];

export const ENDPOINT = [{ id: 0, mac: "02:42:0a:40:00:02", ipv4: "10.64.0.2/24", ipv6: "fd64::2/64" }] as const;

export const JOIN = {
  names: [{ id: 0, srcName: "bh-c", dstPrefix: "eth" }],
  gateway: "10.64.0.1",
  gatewayIPv6: "fd64::1",
  staticRoutes: [
    { destination: "10.70.0.0/16", routeType: 0, nextHop: "10.64.0.9", interfaceID: 0 },
    { destination: "10.71.0.0/16", routeType: 1, nextHop: "", interfaceID: 0 },
    { destination: "fd70::/48", routeType: 0, nextHop: "fd64::9", interfaceID: 0 },
    { destination: "fd71::/48", routeType: 1, nextHop: "", interfaceID: 0 },
  ],
} as const satisfies JoinData;

/** What of a namespace a test compares: links with their addresses, routes, without what the kernel adds by itself. */
export function shape({ links, routes }: NamespaceView): object {
  const own = (ip: string): boolean => !ip.startsWith("fe80:") && ip !== "127.0.0.1" && ip !== "::1";
  return {
    links: [...links.values()]
      .map(({ name, up, mtu, mac, master, alias, addresses }) => ({
        name,
        up: name === "lo" || up,
        mtu,
        mac,
        master,
        alias,
        addresses: addresses.filter(({ ip }) => own(ip)).map(({ ip, prefix }) => `${ip}/${prefix}`),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    routes: routes
      .filter(({ destination, dev }) => dev !== "lo" && !/^(fe80|ff00|127)|\/128$|\/32$/.test(destination))
      .map(({ destination, via, dev }) => [destination, dev, ...via].join(" "))
      .sort(),
  };
}

/** A namespace that fails at the `at`th change it is asked for, having carried out those before. */
export function failingAt(at: number): { readonly open: HomeNamespace["open"]; readonly reached: () => boolean } {
  let count = 0;
  let reached = false;
  const open = (backend: NetlinkBackend, netns: string): SandboxNamespace => {
    const real = openNamespace(backend, netns);
    return {
      look: (options) => real.look(options),
      announce: (links) => real.announce(links),
      exists: () => real.exists(),
      isOneOf: (others) => real.isOneOf(others),
      async run(changes) {
        const here = at - count;
        count += changes.length;
        if (here < 0 || here >= changes.length) return real.run(changes);
        reached = true;
        const failure = await real.run(changes.slice(0, here));
        return failure ?? { at: here, words: "injected" };
      },
    };
  };
  return { open, reached: () => reached };
}
