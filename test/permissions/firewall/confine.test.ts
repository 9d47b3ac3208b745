/** What a confined bridge's containers reach: nothing but what is allowed, whatever happens to the table. */
import { execFileSync, spawnSync } from "node:child_process";
import { assert, suite } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { inNetns, ruleset } from "./backends.js";
import { type House, house, IN_VAIN } from "./house.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/confine");
const needs = noKernel;
const ms = 90_000;
const WAYS = [
  ["10.64.1.0/24", "192.0.2.1"],
  ["fd64:0:1::/64", "2001:db8::1"],
] as const;

async function confine({ fire }: House): Promise<void> {
  await Promise.all([
    fire("isolate", { bridge: "bh-a", outgoing: "allowed" }),
    ...WAYS.map(([subnet]) => fire("masquerade", { bridge: "bh-a", subnet })),
  ]);
}

test(
  "nothing passes but what is allowed: by address, network, port and protocol, in both families, to the host too",
  async (t) => {
    const home = await house(t);
    const { netns, fire, outside, a1, a2, b1 } = home;
    await serveIn(t, outside, "tcp", "::", 7000, "tcp");
    await serveIn(t, outside, "tcp", "::", 7001, "other");
    await serveIn(t, outside, "udp", "192.0.2.1", 7000, "udp");
    await serveIn(t, netns, "tcp", "::", 7002, "host");
    await serveIn(t, a2, "tcp", "::", 7003, "neighbour");
    await serveIn(t, b1, "tcp", "::", 7004, "sibling");
    await confine(home);
    for (const [, ip] of WAYS) assert.is(await callFrom(a1, "tcp", ip, 7000, IN_VAIN), "nothing", ip);
    assert.is(await callFrom(a1, "udp", "192.0.2.1", 7000, IN_VAIN), "nothing");
    for (const ip of ["10.64.1.1", "192.0.2.2", "fd64:0:1::1", "2001:db8::2"])
      assert.is(await callFrom(a1, "tcp", ip, 7002, IN_VAIN), "nothing", `the host at ${ip}`);
    assert.throws(() => inNetns(a1, "busybox", "ping", "-c1", "-W1", "192.0.2.1"));
    assert.throws(() => inNetns(a1, "busybox", "ping", "-c1", "-W1", "10.64.1.1"));
    assert.match(await callFrom(a1, "tcp", "10.64.1.3", 7003), /^neighbour /);
    assert.match(await callFrom(netns, "tcp", "10.64.1.3", 7003), /^neighbour /, "from the host");

    await fire("allow", { bridge: "bh-a", to: "192.0.2.1", protocol: "tcp", port: 7000, seconds: 60 });
    await fire("allow", { bridge: "bh-a", to: "2001:db8::/64", protocol: "tcp", port: 6999, lastPort: 7000 });
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000), "tcp ::ffff:192.0.2.2");
    assert.is(await callFrom(a1, "tcp", "2001:db8::1", 7000), "tcp 2001:db8::2");
    for (const [, ip] of WAYS) assert.is(await callFrom(a1, "tcp", ip, 7001, IN_VAIN), "nothing", "another port");
    assert.is(await callFrom(a1, "udp", "192.0.2.1", 7000, IN_VAIN), "nothing", "another protocol");

    await fire("allow", { bridge: "bh-a", to: "192.0.2.2", protocol: "tcp", port: 7002, seconds: 60 });
    assert.is(
      await callFrom(a1, "tcp", "192.0.2.2", 7002, IN_VAIN),
      "nothing",
      "the host itself is not allowed for some time",
    );
    await fire("allow", { bridge: "bh-a", to: "192.0.2.2", protocol: "tcp", port: 7002 });
    assert.match(
      await callFrom(a1, "tcp", "192.0.2.2", 7002),
      /^host /,
      "a service of the host's, where it is allowed",
    );
    await fire("allow", { bridge: "bh-a", to: "10.64.2.0/24", protocol: "tcp", port: 7004 });
    await fire("isolate", { bridge: "bh-b" });
    assert.is(await callFrom(a1, "tcp", "10.64.2.2", 7004, IN_VAIN), "nothing", "networks stay apart");

    await fire("withdraw", { kind: "allow", bridge: "bh-a", to: "192.0.2.1", protocol: "tcp", port: 7000 });
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000, IN_VAIN), "nothing", "withdrawn");
    for (const rule of (await fire("rules")) as never[]) await fire("withdraw", rule);
    assert.is(ruleset(netns), "", "no table is left");
    assert.ok(!inNetns(netns, "ip", "rule").includes("prohibit"), "nor a rule of policy routing");
    assert.ok(!inNetns(netns, "ip", "-6", "rule").includes("prohibit"));
  },
  { ms, needs },
);

test(
  "a source that is not behind the bridge reaches nothing, also as the answer of a connection that it began",
  async (t) => {
    const home = await house(t);
    const { fire, outside, a1 } = home;
    await confine(home);
    const forged = ["198.51.100.9", "2001:db8:ff::9"] as const;
    for (const [at, [, ip]] of WAYS.entries()) {
      inNetns(a1, "ip", "address", "add", forged[at] as string, "dev", "lo");
      await fire("allow", { bridge: "bh-a", to: ip, protocol: "udp", port: 7000, seconds: 60 });
    }
    inNetns(outside, "nft", "add table inet seen");
    inNetns(outside, "nft", "add chain inet seen counted { type filter hook prerouting priority -300; }");
    inNetns(outside, "nft", "add rule inet seen counted udp dport 7000 counter");
    const seen = (): string => /counter packets (\d+)/.exec(inNetns(outside, "nft", "list table inet seen"))?.[1] ?? "";
    const send = (from: string, to: string, port: number): void => {
      const code = `const s = require("node:dgram").createSocket(${from.includes(":") ? '"udp6"' : '"udp4"'});
        s.bind(0, "${from}", () => s.send("x", ${port}, "${to}", () => s.close()));`;
      inNetns(a1, process.execPath, "-e", code);
    };
    for (const [at, [, ip]] of WAYS.entries()) send(forged[at] as string, ip, 7000);
    assert.is(seen(), "0");
    send("10.64.1.2", "192.0.2.1", 7000);
    assert.is(seen(), "1", "the container's own address");
  },
  { ms, needs },
);

test(
  "what was sent to whichever name server is answered at the gateway",
  async (t) => {
    const home = await house(t);
    const { netns, fire, outside, a1 } = home;
    await serveIn(t, outside, "udp", "192.0.2.1", 53, "outside");
    for (const protocol of ["udp", "tcp"] as const) {
      await serveIn(t, netns, protocol, "10.64.1.1", 53, "resolver");
      await serveIn(t, netns, protocol, "fd64:0:1::1", 53, "resolver6");
    }
    await confine(home);
    assert.is(await callFrom(a1, "udp", "192.0.2.1", 53, IN_VAIN), "nothing");
    await fire("resolve", { bridge: "bh-a", ip: "10.64.1.1" });
    await fire("resolve", { bridge: "bh-a", ip: "fd64:0:1::1" });
    for (const protocol of ["udp", "tcp"] as const) {
      assert.match(await callFrom(a1, protocol, "192.0.2.1", 53), /^resolver /);
      assert.match(await callFrom(a1, protocol, "10.64.1.1", 53), /^resolver /);
      assert.match(await callFrom(a1, protocol, "2001:db8::1", 53), /^resolver6 /);
    }
  },
  { ms, needs },
);

test(
  "a table that another program deletes: nothing unlisted passes, and what was allowed stays so",
  async (t) => {
    const home = await house(t);
    const { netns, fire, outside, a1 } = home;
    await serveIn(t, outside, "tcp", "::", 7000, "allowed");
    await serveIn(t, outside, "tcp", "::", 7001, "unlisted");
    await confine(home);
    await fire("allow", { bridge: "bh-a", to: "192.0.2.1", protocol: "tcp", port: 7000, seconds: 60 });
    const name = /table inet (bulkhead_\S+)/.exec(ruleset(netns))?.[1] ?? "";
    // The host's process is stopped meanwhile, as far as this test goes: it runs in this very process.
    execFileSync("nsenter", [`--net=/run/netns/${netns}`, "nft", "flush", "ruleset"]);
    for (const [, ip] of WAYS) {
      const command = [`--net=/run/netns/${a1}`, "busybox", "nc", "-w", "1", ip, "7001"];
      const { stdout } = spawnSync("nsenter", command, { encoding: "utf8", timeout: 5000 });
      assert.is(stdout, "", "while there is no table");
    }
    assert.is(inNetns(netns, "nft", "list", "tables").includes(name), false);
    // Any request restores the table.
    await fire("allow", { bridge: "bh-a", to: "192.0.2.1", protocol: "tcp", port: 7005, seconds: 60 });
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7000), "allowed ::ffff:192.0.2.2");
    assert.is(await callFrom(a1, "tcp", "192.0.2.1", 7001, IN_VAIN), "nothing");
  },
  { ms, needs },
);

test(
  "an open connection outlives its rule, and time that is asked for again is extended",
  async (t) => {
    const home = await house(t);
    const { fire, netns } = home;
    await confine(home);
    const api = { bridge: "bh-a", to: "192.0.2.1", protocol: "tcp", port: 7000 } as const;
    const left = (): number => {
      const text = inNetns(netns, "nft", "list", "ruleset");
      return Number(/192\.0\.2\.1 \. tcp \. 7000 timeout \S+ expires (?:(\d+)m)?/.exec(text)?.[1] ?? 0);
    };
    await fire("allow", { ...api, seconds: 60 });
    assert.is(left(), 1);
    await fire("allow", { ...api, seconds: 600 });
    assert.is(left(), 10);
    await fire("allow", { ...api, seconds: 60 });
    assert.is(left(), 10, "never shortened");
    // A whole new table keeps the time that is left.
    await fire("allow", { ...api, to: "192.0.2.0/24", port: 1 });
    assert.ok(left() >= 9);
    assert.equal(
      ((await fire("rules")) as { kind: string }[]).map(({ kind }) => kind),
      ["isolate", "masquerade", "masquerade", "allow"],
      "what ends by itself is not listed",
    );
  },
  { ms, needs },
);

test.run();
