/** Both backends of the firewall, each with a netlink of its own in a throwaway namespace. */
import { execFileSync } from "node:child_process";
import type { Json } from "#dist/driverapi/json.js";
import type { FirewallBackend, Listener } from "#dist/permissions/firewall/backend.js";
import type { FirewallLimits } from "#dist/permissions/firewall/grant.js";
import { createFirewallHub, type FirewallHub, type FirewallHubOptions } from "#dist/permissions/firewall/hub.js";
import { ModelFirewall } from "#dist/permissions/firewall/model/model-firewall.js";
import type { NetlinkLimits } from "#dist/permissions/netlink/grant.js";
import type { TestContext } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { type Asked, type Bench, bench, LIMITS_FOR_TESTS } from "../netlink/backends.js";
import { serveIn } from "./server.js";

/** Limits that allow what the tests do. */
const FIREWALL_FOR_TESTS: FirewallLimits = { ports: ["8000-8999", "53"], max: 64 };

/** What the plugin's netlink grant needs for a tunnel. */
const TUNNELS = { vniFrom: 100, vniTo: 199, remotes: ["192.0.2.0/24"], ports: [4789] };

/** A namespace with a firewall in it, and a plugin's way to both. */
export interface FirewallBench extends Bench {
  readonly firewall: FirewallHub;
  readonly rules: FirewallBackend;
  /** `powers.firewall` of plugin "bridge". */
  readonly fire: Asked;
  /** Another plugin's, or with other limits. */
  openFire(plugin: string, limits?: Partial<FirewallLimits>, netlink?: NetlinkLimits | "none"): Asked;
  /** The machine listens on a port. */
  listen(t: TestContext, listener: Listener): Promise<void>;
}

export async function firewallBench(
  t: TestContext,
  kind: "kernel" | "model",
  limits: Partial<FirewallLimits> = {},
  options: Partial<FirewallHubOptions> = {},
): Promise<FirewallBench> {
  const links = await bench(t, kind, TUNNELS);
  const { netns, hub } = links;
  const firewall = createFirewallHub({ netlink: hub, netns, logger: SILENT, ...options });
  t.cleanup(() => firewall.close());
  const openFire: FirewallBench["openFire"] = (plugin, more = {}, netlink = LIMITS_FOR_TESTS) => {
    const given = netlink === "none" ? undefined : netlink;
    const power = firewall.open(plugin, { ...FIREWALL_FOR_TESTS, ...limits, ...more }, given);
    return askOf(power.methods);
  };
  return {
    ...links,
    firewall,
    rules: firewall.backend,
    fire: openFire("bridge"),
    openFire,
    async listen(t, listener) {
      if (firewall.backend instanceof ModelFirewall) firewall.backend.listening.push(listener);
      else await serveIn(t, netns, listener.protocol as "tcp" | "udp", listener.ip ?? "::", listener.port, "host");
    },
  };
}

function askOf(methods: ReadonlyMap<string, (args: readonly Json[]) => unknown> | undefined): Asked {
  return async (method, ...args) => {
    const serve = methods?.get(`firewall.${method}`);
    if (!serve) throw new Error(`there is no firewall.${method}`);
    return (await serve(args)) as Json;
  };
}

/** A bridge with a network of each family, up. */
export async function bridgeOf(ask: Asked, name: string, ...addresses: string[]): Promise<void> {
  await ask("createLink", { kind: "bridge", name });
  await ask("setLink", name, { up: true });
  for (const address of addresses) await ask("addAddress", name, address);
}

/** Runs a program in a namespace, without a shell; gives what it printed. */
export function inNetns(netns: string, ...command: string[]): string {
  return execFileSync("nsenter", [`--net=/run/netns/${netns}`, ...command], { encoding: "utf8", stdio: "pipe" });
}

/** All of nftables in a namespace, as text. */
export function ruleset(netns: string): string {
  return inNetns(netns, "nft", "list", "ruleset");
}
