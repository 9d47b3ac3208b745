/** What the rules do to packets, in namespaces of the test's own: a host with two bridges, and an "outside" it has a cable to. */
import { execFileSync } from "node:child_process";
import { assert, suite } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { inNetns, ruleset } from "./backends.js";
import { house, IN_VAIN } from "./house.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/packets");
const needs = noKernel;
const ms = 60_000;
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
  "publish: only what is for an address of the host's; one that has moved to another machine is that machine's",
  async (t) => {
    const { netns, fire, outside, a1, a2 } = await house(t);
    const move = (from: string, device: string, to: string, other: string): void => {
      execFileSync("ip", ["-n", from, "addr", "del", "192.0.2.3/24", "dev", device]);
      execFileSync("ip", ["-n", to, "addr", "add", "192.0.2.3/24", "dev", other]);
      for (const one of [netns, outside]) execFileSync("ip", ["-n", one, "neigh", "flush", "all"]);
    };
    execFileSync("ip", ["-n", netns, "addr", "add", "192.0.2.3/24", "dev", "card"]);
    await serveIn(t, a1, "tcp", "::", 80, "web");
    await serveIn(t, outside, "tcp", "::", 8080, "outside");
    await serveIn(t, outside, "tcp", "::", 8081, "outside");
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    const web = { bridge: "bh-a", protocol: "tcp", ip: "10.64.1.2", port: 80 } as const;
    await fire("publish", { ...web, hostIP: "192.0.2.3", hostPort: 8080 });
    await fire("publish", { ...web, hostPort: 8081 });
    assert.match(await callFrom(a2, "tcp", "192.0.2.3", 8080), /^web /);
    assert.match(await callFrom(a2, "tcp", "192.0.2.1", 8081), /^outside /, "a port of all addresses, elsewhere");
    assert.match(await callFrom(netns, "tcp", "192.0.2.1", 8081), /^outside /);

    move(netns, "card", outside, "eth0");
    assert.match(await callFrom(a2, "tcp", "192.0.2.3", 8080), /^outside /, "from a container");
    assert.match(await callFrom(netns, "tcp", "192.0.2.3", 8080), /^outside /, "from the host itself");
    move(outside, "eth0", netns, "card");
    assert.match(await callFrom(a2, "tcp", "192.0.2.3", 8080), /^web /, "and back");
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
