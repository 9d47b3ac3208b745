/** A host with two bridges, containers on them, and an "outside" it has a cable to: namespaces of the test's own. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { FirewallHubOptions } from "#dist/permissions/firewall/hub.js";
import type { TestContext } from "../../harness.js";
import { bridgeOf, type FirewallBench, firewallBench } from "./backends.js";

/** How long a test waits for what must not come, in milliseconds. */
export const IN_VAIN = 700;

export interface House extends FirewallBench {
  /** Namespaces: outside; two containers on bridge a; one on bridge b. */
  readonly outside: string;
  readonly a1: string;
  readonly a2: string;
  readonly b1: string;
}

/** Host: 192.0.2.2, 2001:db8::2 to outside, .1; bridges 10.64.1.1, fd64:0:1::1 and 10.64.2.1, fd64:0:2::1. */
export async function house(t: TestContext, options: Partial<FirewallHubOptions> = {}): Promise<House> {
  const bench = await firewallBench(t, "kernel", {}, options);
  const { netns, ask } = bench;
  const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
  const space = (): string => {
    const name = `bht-${randomBytes(4).toString("hex")}`;
    ip("netns", "add", name);
    t.cleanup(() => ip("netns", "delete", name));
    ip("-n", name, "link", "set", "lo", "up");
    return name;
  };
  /** A cable from the host's namespace; `near` is its end there. */
  const cable = (near: string, to: string, addresses: readonly string[], gateways: readonly string[]): void => {
    ip("-n", netns, "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", to);
    ip("-n", netns, "link", "set", near, "up");
    ip("-n", to, "link", "set", "eth0", "up");
    for (const one of addresses) ip("-n", to, "addr", "add", one, "dev", "eth0", "nodad");
    for (const one of gateways) ip("-n", to, "route", "add", "default", "via", one);
  };
  const [outside, a1, a2, b1] = [space(), space(), space(), space()];
  cable("card", outside, ["192.0.2.1/24", "2001:db8::1/64"], []);
  ip("-n", netns, "addr", "add", "192.0.2.2/24", "dev", "card");
  ip("-n", netns, "addr", "add", "2001:db8::2/64", "dev", "card", "nodad");
  // A neighbour that knows the way into the networks, as any on the host's own segment may.
  for (const net of ["10.64.0.0/16", "fd64::/32"])
    ip("-n", outside, "route", "add", net, "via", net.includes(":") ? "2001:db8::2" : "192.0.2.2");
  await bridgeOf(ask, "bh-a", "10.64.1.1/24", "fd64:0:1::1/64");
  await bridgeOf(ask, "bh-b", "10.64.2.1/24", "fd64:0:2::1/64");
  for (const [index, name, bridge, host] of [
    [1, a1, "bh-a", "2"],
    [1, a2, "bh-a", "3"],
    [2, b1, "bh-b", "2"],
  ] as const) {
    const near = `v${bridge.at(-1)}${host}`;
    cable(
      near,
      name,
      [`10.64.${index}.${host}/24`, `fd64:0:${index}::${host}/64`],
      [`10.64.${index}.1`, `fd64:0:${index}::1`],
    );
    ip("-n", netns, "link", "set", near, "master", bridge);
  }
  // The bridges' own addresses are usable when nobody else was found to have them.
  execFileSync("ip", ["-n", netns, "-6", "addr", "show", "tentative"]);
  return { ...bench, outside, a1, a2, b1 };
}
