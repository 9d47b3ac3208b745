/** Links too small for IPv6, and IPv6 where the machine has switched it off. */
import { execFileSync } from "node:child_process";
import type { LinkInfo } from "#dist/permissions/netlink/link-spec.js";
import { assert, suite } from "../../harness.js";
import { type Bench, bench, noKernel, onBoth } from "./backends.js";

const test = suite("permissions/netlink/small-links");

const mtuOf = async ({ ask }: Bench, name: string): Promise<number | undefined> =>
  ((await ask("links")) as unknown as readonly LinkInfo[]).find((link) => link.name === name)?.mtu;

const setting = (netns: string, ...command: readonly string[]): string =>
  execFileSync("ip", ["netns", "exec", netns, ...command], { encoding: "utf8" }).trim();
const file = (link: string, name: string): string => `/proc/sys/net/ipv6/conf/${link}/${name}`;

onBoth(test, "an IPv4 network of MTU 68 and up; with IPv6 from 1280 on", async (t, kind) => {
  const { ask, ...rest } = await bench(t, kind);
  const one = { ask, ...rest };
  await ask("createLink", { kind: "bridge", name: "bh-b", mtu: 68 });
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w", mtu: 68 });
  await ask("setLink", "bh-v", { master: "bh-b", up: true });
  await ask("setLink", "bh-b", { up: true });
  await ask("addAddress", "bh-b", "10.64.0.1/24");
  assert.equal([await mtuOf(one, "bh-b"), await mtuOf(one, "bh-w")], [68, 68]);
  await ask("setLink", "bh-b", { mtu: 1280 });
  await ask("addAddress", "bh-b", "fd64::1/64");
  await ask("deleteAddress", "bh-b", "fd64::1/64");
  await ask("setLink", "bh-b", { mtu: 600 });
  assert.is(await mtuOf(one, "bh-b"), 600);
});

onBoth(test, "a bridge keeps the MTU it was made with when its last port goes", async (t, kind) => {
  const { ask, ...rest } = await bench(t, kind);
  for (const mtu of [600, 1400, 9000]) {
    await ask("createLink", { kind: "bridge", name: "bh-b", mtu });
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w", mtu });
    await ask("setLink", "bh-v", { master: "bh-b" });
    await ask("deleteLink", "bh-v");
    assert.is(await mtuOf({ ask, ...rest }, "bh-b"), mtu);
    await ask("deleteLink", "bh-b");
  }
});

test(
  "a link that IPv6 comes back to is deaf to router advertisements, also when what it was part of fails",
  async (t) => {
    const { ask, netns, host } = await bench(t, "kernel");
    const accepts = (link: string): string => setting(netns, "cat", file(link, "accept_ra"));
    await ask("createLink", { kind: "bridge", name: "bh-b", mtu: 600 });
    await ask("setLink", "bh-b", { mtu: 1500 });
    assert.is(accepts("bh-b"), "0", "raised");
    await ask("setLink", "bh-b", { mtu: 600 });
    await ask("setLink", "bh-b", { mtu: 1400, up: true });
    assert.is(accepts("bh-b"), "0", "again");
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w", mtu: 600 });
    await host({ op: "mtu", name: "bh-b", mtu: 600 });
    await ask("setLink", "bh-v", { master: "bh-b" });
    await ask("setLink", "bh-b", { mtu: 1400 });
    await ask("deleteLink", "bh-v");
    assert.is(accepts("bh-b"), "0", "its port is gone");
  },
  { needs: noKernel },
);

test(
  "where IPv6 is switched off, it is on for the link that gets an address, and for no other",
  async (t) => {
    const { ask, netns, backend } = await bench(t, "kernel");
    for (const which of ["all", "default"])
      execFileSync("ip", ["netns", "exec", netns, "tee", file(which, "disable_ipv6")], { input: "1" });
    for (const name of ["bh-b", "bh-c"]) await ask("createLink", { kind: "bridge", name });
    await ask("addAddress", "bh-b", "10.64.0.1/24");
    assert.is(setting(netns, "cat", file("bh-b", "disable_ipv6")), "1", "an IPv4 address changes nothing");
    await ask("addAddress", "bh-b", "fd64::1/64");
    const { links } = await backend.look({ addresses: true });
    assert.ok(links.get("bh-b")?.addresses.some(({ ip }) => ip === "fd64::1"));
    const off = ["bh-b", "bh-c", "lo", "all", "default"].map((one) => setting(netns, "cat", file(one, "disable_ipv6")));
    assert.equal(off, ["0", "1", "1", "1", "1"]);
    assert.is(setting(netns, "cat", file("bh-b", "accept_ra")), "0");
  },
  { needs: noKernel },
);

test.run();
