/** Forwarding where it was off: ours passes, the machine does not become a router for others, and it is off again in the end. */
import { assert, suite, until } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { bridgeOf, inNetns, ruleset } from "./backends.js";
import { type House, house, IN_VAIN } from "./house.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/forwarding");
const needs = noKernel;
const ms = 60_000;
const SWITCH = { 4: "/proc/sys/net/ipv4/ip_forward", 6: "/proc/sys/net/ipv6/conf/all/forwarding" } as const;

function forwards(netns: string, family: 4 | 6): boolean {
  return inNetns(netns, "cat", SWITCH[family]).trim() === "1";
}

/** A second cable of the host's, to the namespace of b1: two neighbours that would use the machine as a router. */
async function second({ netns, b1 }: House): Promise<void> {
  inNetns(netns, "ip", "link", "set", "vb2", "nomaster");
  for (const address of ["198.51.100.1/24", "2001:db8:1::1/64"])
    inNetns(netns, "ip", "addr", "add", address, "dev", "vb2", ...(address.includes(":") ? ["nodad"] : []));
  inNetns(b1, "ip", "addr", "flush", "dev", "eth0");
  for (const address of ["198.51.100.2/24", "2001:db8:1::2/64"])
    inNetns(b1, "ip", "addr", "add", address, "dev", "eth0", ...(address.includes(":") ? ["nodad"] : []));
  for (const gateway of ["198.51.100.1", "2001:db8:1::1"])
    inNetns(b1, "ip", "route", "replace", "default", "via", gateway);
}

test(
  "a machine that was not a router becomes none: two neighbours do not reach each other over it, a container reaches both",
  async (t) => {
    const all = await house(t);
    const { netns, fire, outside, a1, b1, firewall } = all;
    await second(all);
    inNetns(outside, "ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.2");
    inNetns(outside, "ip", "route", "add", "2001:db8:1::/64", "via", "2001:db8::2");
    await serveIn(t, outside, "tcp", "::", 7000, "outside");
    await serveIn(t, a1, "tcp", "::", 80, "web");
    await fire("isolate", { bridge: "bh-a" });
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 });
    assert.ok(forwards(netns, 4));
    assert.not(forwards(netns, 6), "of this family alone");
    assert.is(await callFrom(b1, "tcp", "192.0.2.1", 7000, IN_VAIN), "nothing");
    assert.match(await callFrom(a1, "tcp", "192.0.2.1", 7000), /^outside /);
    assert.match(await callFrom(b1, "tcp", "198.51.100.1", 8080), /^web /, "a published port is for everybody");

    await fire("masquerade", { bridge: "bh-a", subnet: "fd64:0:1::/64" });
    assert.is(await callFrom(b1, "tcp", "2001:db8::1", 7000, IN_VAIN), "nothing");
    assert.match(await callFrom(a1, "tcp", "2001:db8::1", 7000), /^outside /);

    await firewall.release("bridge");
    assert.not(forwards(netns, 4), "switched off again");
    assert.not(forwards(netns, 6));
    assert.is(ruleset(netns), "", "the guard is gone");
  },
  { ms, needs },
);

test(
  "what was on stays on, and what it forwards for others is let pass",
  async (t) => {
    const all = await house(t);
    const { netns, fire, outside, b1, firewall } = all;
    inNetns(netns, "sh", "-c", 'echo 1 > "$0"', SWITCH[4]);
    await second(all);
    inNetns(outside, "ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.2");
    await serveIn(t, outside, "tcp", "::", 7000, "outside");
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    assert.match(await callFrom(b1, "tcp", "192.0.2.1", 7000), /^outside /);
    await firewall.release("bridge");
    assert.ok(forwards(netns, 4));
  },
  { ms, needs },
);

test(
  "left on where something else needs it by now: a bridge that is not ours",
  async (t) => {
    const { netns, fire, firewall } = await house(t);
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    inNetns(netns, "ip", "link", "add", "virbr0", "type", "bridge");
    await firewall.release("bridge");
    assert.ok(forwards(netns, 4));
    assert.is(ruleset(netns), "");
    // While there are rules again, nobody else's packets are forwarded for want of the switch.
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    assert.match(ruleset(netns), /bulkhead-forward_/);
  },
  { ms, needs },
);

test(
  "a way out that comes later is known: what arrives by a bridge that has it is not forwarded for others",
  async (t) => {
    const { netns, fire } = await house(t);
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    assert.not.match(ruleset(netns), /"lan0"/);
    inNetns(netns, "ip", "link", "add", "lan0", "type", "bridge");
    inNetns(netns, "ip", "addr", "add", "203.0.113.2/24", "dev", "lan0");
    inNetns(netns, "ip", "link", "set", "lan0", "up");
    inNetns(netns, "ip", "route", "replace", "default", "via", "203.0.113.1", "dev", "lan0", "onlink");
    await until(() => /"lan0"/.test(ruleset(netns)), "the guard to know it", 20_000);
  },
  { ms, needs },
);

test(
  "a bridge of a plugin without a firewall grant is guarded both ways: forwarding is on for others' sake alone",
  async (t) => {
    const all = await house(t);
    const { netns, open, fire, outside, b1 } = all;
    await bridgeOf(open("bare", { prefix: "ba" }), "ba-c", "10.64.3.1/24");
    inNetns(netns, "ip", "link", "set", "vb2", "master", "ba-c");
    for (const line of ["addr flush dev eth0", "addr add 10.64.3.2/24 dev eth0", "route add default via 10.64.3.1"])
      inNetns(b1, "ip", ...line.split(" "));
    await serveIn(t, outside, "tcp", "::", 7000, "outside");
    await serveIn(t, b1, "tcp", "::", 80, "bare");
    const set = (value: "0" | "1"): string => inNetns(netns, "sh", "-c", `echo ${value} > "$0"`, SWITCH[4]);
    set("1");
    assert.match(await callFrom(b1, "tcp", "192.0.2.1", 7000), /^outside /, "the way is there");
    assert.match(await callFrom(outside, "tcp", "10.64.3.2", 80), /^bare /);
    set("0");
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    assert.ok(forwards(netns, 4));
    assert.is(await callFrom(b1, "tcp", "192.0.2.1", 7000, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "10.64.3.2", 80, IN_VAIN), "nothing");

    await bridgeOf(open("late", { prefix: "la" }), "la-d", "10.64.4.1/24");
    await until(() => /iifname "la-\*"/.test(ruleset(netns)), "the guard to know a plugin that comes later", 20_000);
  },
  { ms, needs },
);

test.run();
