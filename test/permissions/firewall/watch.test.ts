/** What somebody else does to rules and forwarding: it is noticed, restored, and told; without end it is not. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { ExternalChange } from "#dist/permissions/external-changes.js";
import { ModelFirewall } from "#dist/permissions/firewall/model/model-firewall.js";
import { assert, suite, until } from "../../harness.js";
import { noKernel, onBoth } from "../netlink/backends.js";
import { bridgeOf, firewallBench, inNetns, ruleset } from "./backends.js";
import { house, IN_VAIN } from "./house.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/watch");
const needs = noKernel;
const ms = 60_000;
const OUT = { bridge: "bh-a", subnet: "10.64.1.0/24" } as const;
/** A machine with much else to do takes its time, in milliseconds. */
const SOON = 20_000;
const UPLINK = "ip link add br0 up type bridge && ip address add 192.0.2.1/24 dev br0 && ip route add default dev br0";
const SWITCH = "/proc/sys/net/ipv4/ip_forward";

/** Returns the name of the plugin's table. */
function tableIn(rules: string): string {
  return /^table inet (bulkhead_\S+)/m.exec(rules)?.[1] ?? "";
}

test(
  "nft flush ruleset: networks are apart again and ports answer, without a request; it is told",
  async (t) => {
    const events: ExternalChange[] = [];
    const { netns, fire, outside, a1, b1 } = await house(t, { report: (event) => void events.push(event) });
    await fire("masquerade", OUT);
    await fire("isolate", { bridge: "bh-a" });
    await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 });
    await serveIn(t, a1, "tcp", "::", 80, "web");
    // Tables come in the order in which they were made.
    const tables = (): string =>
      ruleset(netns)
        .split(/^(?=table)/m)
        .map((text) => text.trim())
        .sort()
        .join("\n");
    const before = tables();
    inNetns(netns, "nft", "flush", "ruleset");
    await until(() => tables() === before, "all rules are back", SOON);
    assert.match(await callFrom(outside, "tcp", "192.0.2.2", 8080), /^web /);
    assert.is(await callFrom(b1, "tcp", "10.64.1.2", 80, IN_VAIN), "nothing");
    const [rules, guard] = events;
    assert.is(rules?.event, "rules-restored");
    assert.is(rules?.plugin, "bridge");
    assert.match(rules?.detail ?? "", /changed or removed by process \d+ \(nft\)/);
    assert.match(guard?.detail ?? "", /guard/);
  },
  { ms, needs },
);

test(
  "nft flush ruleset, and a request before it is noticed: the guard of forwarding is back, and it is told",
  async (t) => {
    const events: ExternalChange[] = [];
    const { netns, fire } = await house(t, { report: (event) => void events.push(event) });
    await fire("masquerade", OUT);
    await fire("isolate", { bridge: "bh-a" });
    const guard = /^table inet bulkhead-forward_\S+/m;
    assert.match(ruleset(netns), guard);
    // Nothing can be noticed before the request: this process waits for both.
    inNetns(netns, "nft", "flush", "ruleset");
    await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 });
    await until(() => guard.test(ruleset(netns)), "the guard", SOON);
    await until(() => events.some(({ detail }) => /the guard of forwarding had been removed/.test(detail)), "the line");
  },
  { ms, needs },
);

test(
  "nft flush ruleset, and a request that programs the table again: it is told who removed it",
  async (t) => {
    const events: ExternalChange[] = [];
    const report = (event: ExternalChange): void => void events.push(event);
    const { netns, ask, fire } = await firewallBench(t, "kernel", {}, { report });
    // As on a machine that forwards already: then there is no guard that would be missed.
    inNetns(netns, "sh", "-c", 'echo 1 > "$0"', SWITCH);
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    await fire("masquerade", OUT);
    // An uplink that the tables do not know yet is a reason of its own to program them all.
    inNetns(netns, "sh", "-c", UPLINK);
    inNetns(netns, "nft", "flush", "ruleset");
    await until(() => events.splice(0).length > 0, "the line, after a bridge with the default route was made", SOON);
    for (const [deed, port] of [
      [["flush", "ruleset"], 8080],
      [["flush", "table", "inet", tableIn(ruleset(netns))], 8081],
    ] as const) {
      inNetns(netns, "nft", ...deed);
      await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: port, ip: "10.64.1.2", port: 80 });
      await until(() => events.length > 0, "the line", SOON);
      assert.equal(
        events.splice(0).map(({ event, plugin }) => [event, plugin]),
        [["rules-restored", "bridge"]],
      );
    }
  },
  { ms, needs },
);

test(
  "one rule deleted, one added: the table is as it was; what is not ours is left alone",
  async (t) => {
    const { netns, ask, fire } = await firewallBench(t, "kernel");
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    await fire("isolate", { bridge: "bh-a" });
    const before = ruleset(netns);
    const table = tableIn(before);
    inNetns(netns, "nft", "add", "table", "inet", "mine");
    inNetns(netns, "nft", "insert", "rule", "inet", table, "forward", "accept");
    await until(
      () => ruleset(netns).startsWith(before) || ruleset(netns).includes(before.trim()),
      "it is restored",
      SOON,
    );
    assert.match(ruleset(netns), /table inet mine/);
  },
  { ms, needs },
);

test(
  "forwarding switched off: it is on again, and it is told",
  async (t) => {
    const events: ExternalChange[] = [];
    const report = (event: ExternalChange): void => void events.push(event);
    const { netns, ask, fire } = await firewallBench(t, "kernel", {}, { report });
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    await fire("masquerade", OUT);
    inNetns(netns, "sh", "-c", 'echo 0 > "$0"', SWITCH);
    await until(() => inNetns(netns, "cat", SWITCH).trim() === "1", "it is on again", SOON);
    await until(() => events.some(({ event }) => event === "forwarding-restored"), "it is told", SOON);
  },
  { ms, needs },
);

test(
  "a firewall that comes later, or is flushed: the accept rule is put in again",
  async (t) => {
    const { netns, ask, fire, firewall } = await firewallBench(t, "kernel");
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    await fire("masquerade", OUT);
    const rules = (): string => inNetns(netns, "iptables", "-w", "5", "-S", "FORWARD");
    assert.not.match(rules(), /bulkhead/, "nothing drops yet");
    inNetns(netns, "iptables", "-w", "5", "-P", "FORWARD", "DROP");
    await until(() => rules().includes("bulkhead"), "it is there", SOON);
    inNetns(netns, "iptables", "-w", "5", "-F", "FORWARD");
    await until(() => rules().includes("bulkhead"), "it is there again", SOON);
    inNetns(netns, "iptables", "-w", "5", "-N", "DOCKER-USER");
    inNetns(netns, "iptables", "-w", "5", "-I", "FORWARD", "-j", "DOCKER-USER");
    await firewall.release("bridge");
    assert.equal(rules().trim().split("\n"), ["-P FORWARD DROP", "-A FORWARD -j DOCKER-USER"]);
  },
  { ms, needs },
);

test(
  "somebody who flushes without end is not fought without end",
  async (t) => {
    const events: ExternalChange[] = [];
    const report = (event: ExternalChange): void => void events.push(event);
    const { netns, ask, fire } = await firewallBench(t, "kernel", {}, { report });
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    await fire("isolate", { bridge: "bh-a" });
    const end = performance.now() + 6_000;
    while (performance.now() < end) {
      inNetns(netns, "nft", "flush", "ruleset");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const restored = events.filter(({ event }) => event === "rules-restored").length;
    assert.ok(restored >= 2, `restored ${restored} times`);
    assert.ok(restored <= 9, `restored ${restored} times in 6 s`);
  },
  { ms, needs },
);

onBoth(
  test,
  "an own change is not taken for somebody else's",
  async (t, kind) => {
    const events: ExternalChange[] = [];
    const report = (event: ExternalChange): void => void events.push(event);
    const { ask, fire, firewall } = await firewallBench(t, kind, {}, { report });
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    for (let port = 8000; port < 8010; port++)
      await fire("publish", { bridge: "bh-a", protocol: "tcp", hostPort: port, ip: "10.64.1.2", port: 80 });
    if (firewall.backend instanceof ModelFirewall) {
      firewall.backend.changed("nobody");
      await fire("rules");
      assert.equal(events, []);
      firewall.backend.programmed.clear();
      firewall.backend.changed("a test");
      await fire("rules");
      assert.is(firewall.backend.programmed.size, 1, "compared before the next request");
      assert.match(events[0]?.detail ?? "", /by a test/);
    } else {
      // Long enough for every line that nft monitor may print.
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.equal(events, []);
    }
  },
  ms,
);

/** A platform of its own: a hub with a rule, that says when it is ready and then waits. */
const PLATFORM = `
const [dist, netns] = process.argv.slice(1);
const { createNetlinkHub } = await import(dist + "/permissions/netlink/hub.js");
const { createFirewallHub } = await import(dist + "/permissions/firewall/hub.js");
const logger = { info() {}, warn() {}, error() {} };
const netlink = createNetlinkHub({ backend: "kernel", netns, logger, resolvers: () => [] });
const firewall = createFirewallHub({ netlink, netns, logger });
const limits = { kinds: ["bridge"], prefix: "bh", max: 4, subnets: ["10.64.0.0/10"], parents: [], passthru: false, remotes: [], ports: [] };
await netlink.open("bridge", limits).methods.get("netlink.createLink")([{ kind: "bridge", name: "bh-a" }]);
await firewall.open("bridge", { ports: [], max: 4 }, limits).methods.get("firewall.isolate")([{ bridge: "bh-a" }]);
console.log("ready");
setInterval(() => {}, 1000);
`;

/** Returns the words of a process' command; none if it has ended. */
function wordsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

test(
  "a platform that is killed takes along its monitors and what stands ready",
  async (t) => {
    const { netns } = await firewallBench(t, "kernel");
    const dist = new URL("../../../../dist", import.meta.url).pathname;
    const child = spawn(process.execPath, ["--input-type=module", "-e", PLATFORM, dist, netns], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    t.cleanup(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const inside = (): readonly string[] =>
      execFileSync("ip", ["netns", "pids", netns], { encoding: "utf8" }).split("\n").filter(Boolean);
    const running = (word: string): number => inside().filter((pid) => wordsOf(pid).includes(word)).length;
    await until(() => running("monitor") === 2, "nft monitor and ip monitor", SOON);
    await until(() => running("-batch") > 0, "ip", SOON);
    child.kill("SIGKILL");
    await ended;
    await until(() => inside().length === 0, "none is left", SOON);
  },
  { ms, needs },
);

test.run();
