/** Other programs that drop forwarded packets: ours pass where they may, nobody else's do, and all is as before in the end. */
import { existsSync } from "node:fs";
import { planAccept } from "#dist/permissions/firewall/kernel/accept-rule.js";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { assert, suite } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { inNetns } from "./backends.js";
import { type House, house, IN_VAIN } from "./house.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/neighbours");
const needs =
  noKernel ?? (program("iptables") ? undefined : 'there is no "iptables" (Debian: apt-get install iptables)');
const ms = 60_000;

const OURS = "-A FORWARD -m mark --mark 0x20000000/0x20000000 -m comment --comment bulkhead -j ACCEPT";

/** An engine's firewall as its iptables backend leaves it, for a bridge of its own. */
function engineFirewall(netns: string, chain: "DOCKER-USER" | "none"): void {
  for (const name of ["iptables", "ip6tables"]) {
    const run = (...args: string[]): string => inNetns(netns, name, "-w", "5", ...args);
    run("-P", "FORWARD", "DROP");
    if (chain === "none") continue;
    run("-N", chain);
    run("-A", chain, "-j", "RETURN");
    run("-I", "FORWARD", "-j", chain);
    run("-A", "FORWARD", "-i", "docker0", "!", "-o", "docker0", "-j", "ACCEPT");
  }
}

function forward(netns: string, name = "iptables"): readonly string[] {
  const lines = inNetns(netns, name, "-w", "5", "-S", "FORWARD").split("\n");
  return lines.filter((line) => line.startsWith("-A")).map((line) => line.replace('"bulkhead"', "bulkhead"));
}

function switchOn(netns: string, file: string): void {
  inNetns(netns, "sh", "-c", 'echo 1 > "$0"', file);
}

function noBridgeFilter(): string | undefined {
  return existsSync("/proc/sys/net/bridge")
    ? undefined
    : "there is no bridge filter in this kernel (modprobe br_netfilter)";
}

/** Two networks as the bridge driver makes them, and a published port. */
async function networks({ fire }: House): Promise<void> {
  for (const [bridge, n] of [
    ["bh-a", 1],
    ["bh-b", 2],
  ] as const) {
    await fire("isolate", { bridge });
    await fire("masquerade", { bridge, subnet: `10.64.${n}.0/24` });
    await fire("masquerade", { bridge, subnet: `fd64:0:${n}::/64` });
  }
  for (const ip of ["10.64.1.2", "fd64:0:1::2"])
    await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip, port: 80 });
}

for (const chain of ["DOCKER-USER", "none"] as const) {
  test(
    `FORWARD drops, ${chain === "none" ? "as ufw makes it" : "with an engine's chains"}: out, in by a published port, and nothing else`,
    async (t) => {
      const all = await house(t);
      const { netns, outside, a1, b1, firewall } = all;
      engineFirewall(netns, chain);
      const before = inNetns(netns, "iptables-save", "-t", "filter");
      await networks(all);
      await serveIn(t, outside, "tcp", "::", 7000, "outside");
      await serveIn(t, a1, "tcp", "::", 80, "web");
      for (const [way, host, at] of [
        ["192.0.2.1", "192.0.2.2", "10.64.1.2"],
        ["2001:db8::1", "2001:db8::2", "fd64:0:1::2"],
      ] as const) {
        assert.match(await callFrom(a1, "tcp", way, 7000), /^outside /, `a container reaches ${way}`);
        assert.match(await callFrom(outside, "tcp", host, 8080), /^web /, `a published port answers on ${host}`);
        assert.is(await callFrom(outside, "tcp", at, 80, IN_VAIN), "nothing", "what is not published stays closed");
        assert.is(await callFrom(b1, "tcp", at, 80, IN_VAIN), "nothing", "networks stay apart");
      }
      for (const name of ["iptables", "ip6tables"])
        assert.is(forward(netns, name).filter((line) => line === OURS).length, 1, `one rule in ${name}`);

      await firewall.release("bridge");
      assert.is(
        inNetns(netns, "iptables-save", "-t", "filter").replace(/^#.*\n/gm, ""),
        before.replace(/^#.*\n/gm, ""),
      );
    },
    { ms, needs },
  );
}

test(
  "an engine's own bridge is left to the engine: nothing to it, and nothing from it, is accepted for our sake",
  async (t) => {
    const all = await house(t);
    const { netns, outside, a1, b1 } = all;
    engineFirewall(netns, "DOCKER-USER");
    await networks(all);
    for (const line of ["link add docker0 type bridge", "link set docker0 up", "addr add 172.30.0.1/24 dev docker0"])
      inNetns(netns, "ip", ...line.split(" "));
    inNetns(netns, "ip", "link", "set", "vb2", "master", "docker0");
    for (const line of ["addr flush dev eth0", "addr add 172.30.0.2/24 dev eth0", "route add default via 172.30.0.1"])
      inNetns(b1, "ip", ...line.split(" "));
    inNetns(outside, "ip", "route", "add", "172.30.0.0/24", "via", "192.0.2.2");
    await serveIn(t, b1, "tcp", "::", 80, "engine's");
    await serveIn(t, a1, "tcp", "::", 81, "ours");
    assert.match(await callFrom(netns, "tcp", "172.30.0.2", 80), /^engine's /, "it is there");
    assert.is(await callFrom(outside, "tcp", "172.30.0.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(a1, "tcp", "172.30.0.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(b1, "tcp", "10.64.1.2", 81, IN_VAIN), "nothing");
  },
  { ms, needs },
);

test(
  "a card that is a port of a bridge: the bridge with the default route is a way out",
  async (t) => {
    const all = await house(t);
    const { netns, outside, a1 } = all;
    engineFirewall(netns, "DOCKER-USER");
    for (const line of [
      "link add lan type bridge",
      "link set lan up",
      "addr flush dev card",
      "link set card master lan",
      "addr add 192.0.2.2/24 dev lan",
      "route add default via 192.0.2.1",
    ])
      inNetns(netns, "ip", ...line.split(" "));
    await all.fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    await serveIn(t, outside, "tcp", "::", 7000, "outside");
    assert.match(await callFrom(a1, "tcp", "192.0.2.1", 7000), /^outside /);
  },
  { ms, needs },
);

test(
  "bridge-nf-call-iptables: two containers of one network reach each other, internal or not, and an internal one stays closed",
  async (t) => {
    const all = await house(t);
    const { netns, outside, a1, a2, b1, fire } = all;
    for (const family of ["ip", "ip6"]) switchOn(netns, `/proc/sys/net/bridge/bridge-nf-call-${family}tables`);
    engineFirewall(netns, "DOCKER-USER");
    await serveIn(t, a1, "tcp", "::", 80, "web");
    assert.is(await callFrom(a2, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing", "the engine's FORWARD drops it");
    await fire("isolate", { bridge: "bh-a", internal: true });
    await fire("masquerade", { bridge: "bh-b", subnet: "10.64.2.0/24" });
    assert.match(await callFrom(a2, "tcp", "10.64.1.2", 80), /^web /);
    assert.match(await callFrom(a2, "tcp", "fd64:0:1::2", 80), /^web /);
    assert.is(await callFrom(b1, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000, IN_VAIN), "nothing");
  },
  { ms, needs: needs ?? noBridgeFilter() },
);

test("the accept rule stands behind the jump to DOCKER-USER, once, and not where nothing drops", () => {
  const jump = "-A FORWARD -j DOCKER-USER";
  const other = "-A FORWARD -i docker0 -j ACCEPT";
  const quoted = OURS.replace("bulkhead", '"bulkhead"');
  const plan = (policy: string, ...rules: string[]) =>
    planAccept([`-P FORWARD ${policy}`, ...rules, ""].join("\n"), true);
  assert.equal(plan("ACCEPT"), { insert: undefined, remove: 0 });
  assert.equal(plan("ACCEPT", OURS), { insert: undefined, remove: 1 }, "what it was there for is gone");
  assert.equal(plan("DROP"), { insert: 1, remove: 0 });
  assert.equal(plan("ACCEPT", other), { insert: 1, remove: 0 });
  assert.equal(plan("DROP", jump, other), { insert: 2, remove: 0 });
  assert.equal(plan("DROP", jump, other, OURS), { insert: undefined, remove: 0 });
  assert.equal(plan("DROP", OURS, jump, other), { insert: 3, remove: 1 }, "the engine started after us");
  assert.equal(plan("DROP", jump, quoted, OURS), { insert: undefined, remove: 1 });
  assert.equal(planAccept(["-P FORWARD DROP", jump, OURS].join("\n"), false), { insert: undefined, remove: 1 });
});

test.run();
