/** A bridge whose network goes on behind a tunnel: what passes by it, and what does not, in namespaces of the test's own. */
import { execFileSync } from "node:child_process";
import { assert, suite } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { inNetns } from "./backends.js";
import { house, IN_VAIN } from "./house.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/connect");
const needs = noKernel;
const ms = 60_000;

test(
  "both ways between the subnet and its network; not to other links, other bridges or the host, nor from foreign sources",
  async (t) => {
    const { netns, ask, fire, outside, a1, b1 } = await house(t);
    const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
    // The other host is the outside, which has the other end of the tunnel and an address behind it.
    await ask("createLink", { kind: "vxlan", name: "bh-x", vni: 100, remote: "192.0.2.1", mac: "02:00:00:00:00:01" });
    await ask("setLink", "bh-x", { up: true });
    ip("-n", outside, "route", "flush", "root", "10.64.0.0/16");
    ip("-n", outside, "-6", "route", "flush", "root", "fd64::/32");
    ip(
      "-n",
      outside,
      "link",
      "add",
      "x",
      "address",
      "02:00:00:00:00:02",
      "type",
      "vxlan",
      "id",
      "100",
      "dstport",
      "4789",
      "remote",
      "192.0.2.2",
    );
    ip("-n", outside, "link", "set", "x", "up");
    for (const one of ["10.64.9.1/32", "10.70.0.1/32", "fd64:0:9::1/128"])
      ip("-n", outside, "addr", "add", one, "dev", "x", ...(one.includes(":") ? ["nodad"] : []));
    for (const one of ["10.64.1.0/24", "10.64.2.0/24"])
      ip("-n", outside, "route", "add", one, "via", "10.64.1.0", "dev", "x", "onlink", "src", "10.64.9.1");
    ip("-n", outside, "neigh", "add", "10.64.1.0", "lladdr", "02:00:00:00:00:01", "dev", "x", "nud", "permanent");
    ip(
      "-n",
      outside,
      "-6",
      "route",
      "add",
      "fd64:0:1::/64",
      "via",
      "fd64:0:1::",
      "dev",
      "x",
      "onlink",
      "src",
      "fd64:0:9::1",
    );
    ip(
      "-n",
      outside,
      "-6",
      "neigh",
      "add",
      "fd64:0:1::",
      "lladdr",
      "02:00:00:00:00:01",
      "dev",
      "x",
      "nud",
      "permanent",
    );
    for (const [net, via] of [
      ["10.64.9.0/24", "10.64.9.0"],
      ["10.70.0.0/24", "10.64.9.0"],
      ["fd64:0:9::/64", "fd64:0:9::"],
    ] as const)
      ip("-n", netns, "route", "add", net, "via", via, "dev", "bh-x", "onlink");
    for (const one of ["10.64.9.0", "fd64:0:9::"])
      ip("-n", netns, "neigh", "add", one, "lladdr", "02:00:00:00:00:02", "dev", "bh-x", "nud", "permanent");

    // What arrives is counted: replies to a foreign source would be lost in any case.
    const count = (where: string, ...rules: readonly string[]): (() => readonly number[]) => {
      const chain = "add chain inet seen first { type filter hook prerouting priority -300; }";
      const added = rules.map((rule) => `add rule inet seen first ${rule} counter`);
      inNetns(where, "nft", ["add table inet seen", chain, ...added].join("; "));
      return () =>
        [...inNetns(where, "nft", "list", "table", "inet", "seen").matchAll(/counter packets (\d+)/g)].map(([, n]) =>
          Number(n),
        );
    };
    const atA1 = count(a1, "ip saddr 10.70.0.1", "ip saddr 10.64.1.3", "ip saddr 10.64.9.1");
    const atOutside = count(outside, "iifname eth0 ip daddr 203.0.113.9", "iifname x ip daddr 10.64.9.7");
    inNetns(netns, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    ip("-n", netns, "route", "add", "203.0.113.9", "via", "192.0.2.1");
    ip("-n", outside, "route", "add", "203.0.113.9", "via", "10.64.1.0", "dev", "x", "onlink", "src", "10.64.9.1");
    ip("-n", outside, "route", "add", "10.64.9.7", "via", "192.0.2.2");
    /** Uses the host as a router: from the tunnel to elsewhere, and from elsewhere into the tunnel. */
    const passThrough = async (): Promise<void> => {
      for (const one of ["203.0.113.9", "10.64.9.7"]) await callFrom(outside, "udp", one, 1111, IN_VAIN);
    };

    await serveIn(t, a1, "tcp", "::", 80, "a1");
    await serveIn(t, b1, "tcp", "::", 80, "b1");
    await serveIn(t, netns, "tcp", "::", 7000, "host");
    await serveIn(t, outside, "tcp", "::", 90, "far");
    for (const [bridge, n] of [
      ["bh-a", 1],
      ["bh-b", 2],
    ] as const) {
      await fire("isolate", { bridge });
      await fire("masquerade", { bridge, subnet: `10.64.${n}.0/24` });
      await fire("masquerade", { bridge, subnet: `fd64:0:${n}::/64` });
    }
    assert.is(await callFrom(outside, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing", "before");
    await passThrough();
    assert.equal(atOutside(), [1, 1], "without the rule, both pass");
    await fire("connect", { bridge: "bh-a", tunnel: "bh-x", subnet: "10.64.1.0/24", network: "10.64.0.0/18" });
    await fire("connect", { bridge: "bh-a", tunnel: "bh-x", subnet: "fd64:0:1::/64", network: "fd64::/40" });

    assert.is(await callFrom(outside, "tcp", "10.64.1.2", 80), "a1 ::ffff:10.64.9.1");
    assert.is(await callFrom(outside, "tcp", "fd64:0:1::2", 80), "a1 fd64:0:9::1");
    assert.is(await callFrom(a1, "tcp", "10.64.9.1", 90), "far ::ffff:10.64.1.2", "with its own address");
    assert.is(await callFrom(a1, "tcp", "fd64:0:9::1", 90), "far fd64:0:1::2");
    assert.match(await callFrom(a1, "tcp", "192.0.2.1", 90), /192\.0\.2\.2$/, "elsewhere with the host's");

    assert.is(await callFrom(outside, "tcp", "10.64.2.2", 80, IN_VAIN), "nothing", "another bridge");
    assert.is(await callFrom(b1, "tcp", "10.64.9.1", 90, IN_VAIN), "nothing", "from another bridge");
    assert.is(await callFrom(outside, "tcp", "10.64.1.1", 7000, IN_VAIN), "nothing", "the host itself");
    assert.is(await callFrom(a1, "tcp", "10.70.0.1", 90, IN_VAIN), "nothing", "beyond the network");
    for (const source of ["10.70.0.1", "10.64.1.3"]) {
      ip("-n", outside, "addr", "replace", `${source}/32`, "dev", "x");
      ip("-n", outside, "route", "replace", "10.64.1.0/24", "via", "10.64.1.0", "dev", "x", "onlink", "src", source);
      assert.is(await callFrom(outside, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing", `from ${source}`);
    }
    const [beyond, own, within = 0] = atA1();
    assert.equal([beyond, own, within > 0], [0, 0, true], "packets that arrived, by their source");
    await passThrough();
    assert.equal(atOutside(), [1, 1], "with it, neither does");

    for (const [subnet, network] of [
      ["10.64.1.0/24", "10.64.0.0/18"],
      ["fd64:0:1::/64", "fd64::/40"],
    ] as const)
      await fire("withdraw", { kind: "connect", bridge: "bh-a", tunnel: "bh-x", subnet, network });
    assert.is(await callFrom(a1, "tcp", "10.64.9.1", 90, IN_VAIN), "nothing", "withdrawn");
  },
  { ms, needs },
);

test.run();
