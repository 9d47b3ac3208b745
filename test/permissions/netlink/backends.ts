/** Both backends of netlink, each in a throwaway namespace of its own, for tests that hold of either. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Json } from "#dist/driverapi/json.js";
import type { Change, NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import { openBackend } from "#dist/permissions/netlink/choose.js";
import type { NetlinkLimits } from "#dist/permissions/netlink/grant.js";
import { createNetlinkHub, type NetlinkHub, type NetlinkHubOptions } from "#dist/permissions/netlink/hub.js";
import { kernelProblem } from "#dist/permissions/netlink/kernel/available.js";
import { LONG } from "../../amounts.js";
import { FAST, type Suite, type TestContext } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";

export const KINDS = ["kernel", "model"] as const;

/** Why the kernel cannot be tested here. */
export const noKernel: string | undefined = kernelProblem();

/** Limits that allow what the tests do. */
export const LIMITS_FOR_TESTS: NetlinkLimits = {
  kinds: ["bridge", "veth", "macvlan", "vxlan"],
  prefix: "bh",
  max: 64,
  subnets: ["10.64.0.0/10", "fd64::/32"],
  parents: [],
  passthru: false,
  remotes: [],
  ports: [],
};

export type Asked = (method: string, ...args: Json[]) => Promise<Json>;

/** A namespace, a hub in it, and a plugin's way in. */
export interface Bench {
  readonly netns: string;
  readonly hub: NetlinkHub;
  readonly backend: NetlinkBackend;
  /** `powers.netlink` of plugin "bridge". */
  readonly ask: Asked;
  /** Another plugin's, or with other limits. */
  open(plugin: string, limits?: Partial<NetlinkLimits>): Asked;
  /** What the machine itself does: no rule stands before it. Throws when one fails. */
  host(...changes: Change[]): Promise<void>;
}

/** A fresh namespace, removed after the test; of a model, a fresh world. */
export async function bench(
  t: TestContext,
  kind: "kernel" | "model",
  limits: Partial<NetlinkLimits> = {},
  options: Partial<NetlinkHubOptions> = {},
): Promise<Bench> {
  const netns = `bht-${randomBytes(4).toString("hex")}`;
  if (kind === "kernel") {
    execFileSync("ip", ["netns", "add", netns]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
    execFileSync("ip", ["-n", netns, "link", "set", "lo", "up"]);
  }
  const backend = openBackend({ backend: kind, netns });
  const hub = createNetlinkHub({ use: backend, logger: SILENT, resolvers: () => [], ...options });
  t.cleanup(() => hub.close());
  const open = (plugin: string, more: Partial<NetlinkLimits> = {}): Asked => {
    const power = hub.open(plugin, { ...LIMITS_FOR_TESTS, ...limits, ...more });
    return async (method, ...args) => {
      const serve = power.methods?.get(`netlink.${method}`);
      if (!serve) throw new Error(`there is no netlink.${method}`);
      return serve(args);
    };
  };
  return {
    netns,
    hub,
    backend,
    ask: open("bridge"),
    open,
    async host(...changes) {
      const { failures } = await backend.apply(changes.map((change) => [{ change }]));
      const failure = failures.find((one) => one !== undefined);
      if (failure) throw new Error(`the test's own change failed: ${failure.words}`);
    },
  };
}

/** Both ends of a cable, up: the machine's card and what it is connected to. */
export const CARD: readonly Change[] = [
  {
    op: "add",
    link: { kind: "veth", name: "eth0", peer: "wire0", mac: "02:aa:00:00:00:01", peerMac: "02:aa:00:00:00:02" },
  },
  { op: "up", name: "eth0" },
  { op: "up", name: "wire0" },
];

/**
 * What whole drivers are tried on: the kernel, and the model where there is none to use or in the long form. That the two agree has tests of
 * its own.
 */
export const DRIVER_KINDS: readonly (typeof KINDS)[number][] = LONG ? KINDS : [noKernel || FAST ? "model" : "kernel"];

type Body = (t: TestContext, kind: "kernel" | "model") => unknown;

/** One test per backend. */
export function onBoth(test: Suite, name: string, body: Body, ms = 20_000): void {
  onEach(test, KINDS, name, body, ms);
}

/** One test per backend that whole drivers are tried on. */
export function onDriverKinds(test: Suite, name: string, body: Body, ms = 20_000): void {
  onEach(test, DRIVER_KINDS, name, body, ms);
}

function onEach(test: Suite, kinds: typeof DRIVER_KINDS, name: string, body: Body, ms: number): void {
  for (const kind of kinds) {
    test(`${kind}: ${name}`, (t) => body(t, kind), { ms, needs: kind === "kernel" && noKernel });
  }
}

/** The rule an error names. */
export function ruleOf(error: Error): string | undefined {
  return /is refused by rule "([a-z-]+)"/.exec(error.message)?.[1];
}
