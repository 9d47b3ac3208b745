/** What the rules do to packets, in namespaces of the test's own: a host with two bridges, and an "outside" it has a cable to. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { assert, suite, type TestContext } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { bridgeOf, type FirewallBench, firewallBench, inNetns, ruleset } from "./backends.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/packets");
const needs = noKernel;
const ms = 60_000;
/** How long a test waits for what must not come, in milliseconds. */
const IN_VAIN = 700;

interface House extends FirewallBench {
  /** Namespaces: outside; two containers on bridge a; one on bridge b. */
  readonly outside: string;
  readonly a1: string;
  readonly a2: string;
  readonly b1: string;
}

/** Host: 192.0.2.2, 2001:db8::2 to outside, .1; bridges 10.64.1.1, fd64:0:1::1 and 10.64.2.1, fd64:0:2::1. */
async function house(t: TestContext): Promise<House> {
  const bench = await firewallBench(t, "kernel");
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

test(
  "masquerade: a server outside is reached, and sees the host; nothing gets out before",
  async (t) => {
    const { netns, fire, outside, a1 } = await house(t);
    await serveIn(t, outside, "tcp", "192.0.2.1", 7000, "outside");
    await serveIn(t, outside, "tcp", "2001:db8::1", 7000, "outside6");
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000, IN_VAIN), "nothing");
    assert.is(inNetns(netns, "cat", "/proc/sys/net/ipv4/ip_forward").trim(), "0");

    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    assert.is(inNetns(netns, "cat", "/proc/sys/net/ipv4/ip_forward").trim(), "1");
    assert.is(inNetns(netns, "cat", "/proc/sys/net/ipv6/conf/all/forwarding").trim(), "0", "of this family alone");
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000), "outside 192.0.2.2");
    await fire("masquerade", { bridge: "bh-a", subnet: "fd64:0:1::/64" });
    assert.is(await callFrom(a1, "tcp", "2001:db8::1", 7000), "outside6 2001:db8::2");

    await fire("withdraw", { kind: "masquerade", bridge: "bh-a", subnet: "10.64.1.0/24" });
    await fire("withdraw", { kind: "masquerade", bridge: "bh-a", subnet: "fd64:0:1::/64" });
    assert.is(ruleset(netns), "", "no table is left");
  },
  { ms, needs },
);

test(
  "publish: a port answers from outside, on the host, and for a neighbour; TCP and UDP, IPv4 and IPv6",
  async (t) => {
    const { netns, fire, outside, a1, a2 } = await house(t);
    await serveIn(t, a1, "tcp", "::", 80, "web");
    await serveIn(t, a1, "udp", "10.64.1.2", 53, "names");
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    await fire("masquerade", { bridge: "bh-a", subnet: "fd64:0:1::/64" });
    await fire("isolate", { bridge: "bh-a" });
    const web = { bridge: "bh-a", protocol: "tcp", hostPort: 8080, port: 80 } as const;
    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080, IN_VAIN), "nothing");
    await fire("publish", { ...web, ip: "10.64.1.2" });
    await fire("publish", { ...web, ip: "fd64:0:1::2" });
    await fire("publish", { bridge: "bh-a", protocol: "udp", hostPort: 8053, ip: "10.64.1.2", port: 53 });

    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080), "web ::ffff:192.0.2.1");
    assert.is(await callFrom(outside, "tcp", "2001:db8::2", 8080), "web 2001:db8::1");
    assert.is(await callFrom(outside, "udp", "192.0.2.2", 8053), "names 192.0.2.1");
    assert.match(await callFrom(netns, "tcp", "192.0.2.2", 8080), /^web /, "on the host itself");
    assert.match(await callFrom(netns, "tcp", "2001:db8::2", 8080), /^web /);
    assert.match(await callFrom(a2, "tcp", "192.0.2.2", 8080), /^web /, "by a neighbour, by way of the host");

    await fire("withdraw", { kind: "publish", ...web, ip: "10.64.1.2" });
    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "2001:db8::2", 8080), "web 2001:db8::1", "the other one stays");
  },
  { ms, needs },
);

test(
  "publish: on one address of the host's, and not on another",
  async (t) => {
    const { netns, fire, outside, a1 } = await house(t);
    execFileSync("ip", ["-n", netns, "addr", "add", "192.0.2.3/24", "dev", "card"]);
    await serveIn(t, a1, "tcp", "10.64.1.2", 80, "web");
    await fire("publish", {
      bridge: "bh-a",
      protocol: "tcp",
      hostIP: "192.0.2.3",
      hostPort: 8080,
      ip: "10.64.1.2",
      port: 80,
    });
    assert.is(await callFrom(outside, "tcp", "192.0.2.3", 8080), "web 192.0.2.1");
    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080, IN_VAIN), "nothing");
  },
  { ms, needs },
);

test(
  "isolate: two bridges do not reach each other, by address or by a published port, and outside reaches what is published alone",
  async (t) => {
    const { fire, outside, a1, a2, b1 } = await house(t);
    for (const [bridge, n] of [
      ["bh-a", 1],
      ["bh-b", 2],
    ] as const) {
      await fire("masquerade", { bridge, subnet: `10.64.${n}.0/24` });
      await fire("masquerade", { bridge, subnet: `fd64:0:${n}::/64` });
    }
    await serveIn(t, a1, "tcp", "::", 80, "web");
    await serveIn(t, outside, "tcp", "::", 7000, "outside");
    assert.match(await callFrom(b1, "tcp", "10.64.1.2", 80), /^web /, "forwarding alone keeps nothing apart");
    assert.match(await callFrom(outside, "tcp", "10.64.1.2", 80), /^web /);

    // One of the two suffices, in both directions.
    await fire("isolate", { bridge: "bh-a" });
    await serveIn(t, b1, "tcp", "::", 80, "other");
    assert.is(await callFrom(b1, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(b1, "tcp", "fd64:0:1::2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(a1, "tcp", "10.64.2.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "fd64:0:1::2", 80, IN_VAIN), "nothing");
    await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 });
    assert.is(await callFrom(b1, "tcp", "192.0.2.2", 8080, IN_VAIN), "nothing", "nor by its published port");
    assert.match(await callFrom(outside, "tcp", "192.0.2.2", 8080), /^web /);
    assert.match(await callFrom(a2, "tcp", "10.64.1.2", 80), /^web /, "neighbours reach each other");
    assert.match(await callFrom(a1, "tcp", "192.0.2.1", 7000), /^outside /, "and the way out is open");
  },
  { ms, needs },
);

test(
  "isolate internal: neither out nor in, whatever else there is; neighbours reach each other",
  async (t) => {
    const { fire, outside, a1, a2, b1 } = await house(t);
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    await fire("masquerade", { bridge: "bh-a", subnet: "fd64:0:1::/64" });
    await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 });
    await fire("isolate", { bridge: "bh-a", internal: true });
    await serveIn(t, outside, "tcp", "::", 7000, "outside");
    await serveIn(t, a1, "tcp", "::", 80, "web");
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000, IN_VAIN), "nothing");
    assert.is(await callFrom(a1, "tcp", "2001:db8::1", 7000, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080, IN_VAIN), "nothing");
    assert.is(await callFrom(b1, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    assert.match(await callFrom(a2, "tcp", "10.64.1.2", 80), /^web /);
    assert.match(await callFrom(a2, "tcp", "fd64:0:1::2", 80), /^web /);
  },
  { ms, needs },
);

test.run();
