/**
 * `bulkhead doctor` on a machine's network: in namespaces of the test's own each thing that drops our packets is put up as an engine, ufw,
 * firewalld or an operator does it; the check that is for it falls, and the command it tells, run unchanged, fixes it.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { networkDemand } from "#dist/cli/network-demand.js";
import type { CheckResult } from "#dist/doctor/check-result.js";
import { checkNetwork, judgeNetwork } from "#dist/doctor/network/checks.js";
import { type NetworkFacts, SWITCHES } from "#dist/doctor/network/facts.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";

const test = suite("doctor: the machine's network");
const needs = noKernel;
const demand = { firewall: true, vxlan: true, prefixes: ["bh"] };

const NO_DEMAND = { firewall: false, vxlan: false };

/** A table of ours, as far as the checks know one, that leads both families out. */
const OURS = `
  nft add table inet bulkhead_test_bridge
  nft add chain inet bulkhead_test_bridge postrouting '{ type nat hook postrouting priority srcnat; }'
  nft add rule inet bulkhead_test_bridge postrouting ip saddr 10.64.0.0/24 masquerade
  nft add rule inet bulkhead_test_bridge postrouting ip6 saddr fd64::/64 masquerade`;

interface Machine {
  readonly netns: string;
  sh(script: string): string;
  look(): Promise<readonly CheckResult[]>;
  /** The named check. */
  one(name: string): Promise<CheckResult>;
}

function machine(t: TestContext): Machine {
  const netns = `bht-${randomBytes(4).toString("hex")}`;
  execFileSync("ip", ["netns", "add", netns]);
  t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
  const look = (): Promise<readonly CheckResult[]> => checkNetwork(netns, demand);
  return {
    netns,
    sh: (script) =>
      execFileSync("nsenter", [`--net=/run/netns/${netns}`, "sh", "-ec", script], { encoding: "utf8", stdio: "pipe" }),
    look,
    async one(name) {
      const found = (await look()).find((check) => check.name === name);
      assert.ok(found, name);
      return found;
    },
  };
}

/** Types a fix where an operator would: outside of the namespace, which the command enters by itself. */
function typed(check: CheckResult): void {
  assert.is(check.holds, "no", check.evidence);
  execFileSync("sh", ["-ec", check.fix ?? "false"], { stdio: "pipe" });
}

test(
  "an empty namespace: nothing is down, and the examination has created nothing",
  async (t) => {
    const { look, sh } = machine(t);
    const checks = await look();
    const down = checks.filter(({ demanded, holds }) => demanded && holds === "no");
    assert.equal(
      down.map(({ name, evidence }) => `${name}: ${evidence}`),
      [],
    );
    assert.is(sh("nft list ruleset"), "");
  },
  { needs },
);

for (const [family, command, check] of [
  ["IPv4", "iptables", "machine.accept4"],
  ["IPv6", "ip6tables", "machine.accept6"],
] as const) {
  const engine = `${command} -N DOCKER-USER; ${command} -A DOCKER-USER -j RETURN
    ${command} -P FORWARD DROP; ${command} -A FORWARD -j DOCKER-USER; ${command} -A FORWARD -o docker0 -j ACCEPT`;

  test(
    `${family}: an engine drops: skipped until there is a table of ours, then down until its command is typed`,
    async (t) => {
      const { sh, one } = machine(t);
      sh(engine);
      const before = await one(check);
      assert.is(before.holds, "skipped");
      assert.match(before.evidence, "policy DROP of its chain FORWARD (a Docker engine)");
      sh(OURS);
      const down = await one(check);
      assert.match(down.fix ?? "", `${command} -I FORWARD 2 -m mark --mark 0x20000000/0x20000000 `);
      typed(down);
      assert.is((await one(check)).holds, "yes");
      // What an operator drops in the chain for that is meant; behind any other rule that drops, ours is of no use.
      sh(`${command} -I DOCKER-USER 1 -p tcp -j DROP`);
      assert.is((await one(check)).holds, "yes");
      sh(`${command} -I FORWARD 1 -p tcp -j DROP`);
      assert.match((await one(check)).evidence, "a rule of its chain FORWARD");
    },
    { needs },
  );

  test(
    `${family}: ufw drops, with no engine there: the rule belongs into FORWARD`,
    async (t) => {
      const { sh, one } = machine(t);
      sh(`${command} -N ufw-before-forward; ${command} -A ufw-before-forward -m conntrack --ctstate INVALID -j DROP
        ${command} -A FORWARD -j ufw-before-forward; ${OURS}`);
      const down = await one(check);
      assert.match(down.evidence, "(ufw)");
      assert.match(down.fix ?? "", `${command} -I FORWARD 1 `);
      typed(down);
      assert.is((await one(check)).holds, "yes");
    },
    { needs },
  );
}

test(
  "a chain of the operator's own drops: the command puts a rule ahead of the rest",
  async (t) => {
    const { sh, one } = machine(t);
    sh(
      "nft add table inet mine; nft add chain inet mine passing '{ type filter hook forward priority 0; policy drop; }'",
    );
    const down = await one("machine.other-chains");
    assert.match(down.evidence, "inet mine passing");
    typed(down);
    assert.is((await one("machine.other-chains")).holds, "yes");
  },
  { needs },
);

test(
  "forwarding: off is nothing while no network leads out, then down; each family by itself",
  async (t) => {
    const { sh, one } = machine(t);
    sh("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
    assert.is((await one("machine.forwarding4")).holds, "skipped");
    sh(OURS);
    typed(await one("machine.forwarding4"));
    assert.is((await one("machine.forwarding4")).holds, "yes");
    typed(await one("machine.forwarding6"));
    assert.is((await one("machine.forwarding6")).holds, "yes");
  },
  { needs },
);

test(
  "IPv6 off is told and never demanded",
  async (t) => {
    const { sh, one } = machine(t);
    sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
    const off = await one("machine.ipv6");
    assert.is(off.demanded, false);
    typed(off);
    assert.is((await one("machine.ipv6")).holds, "yes");
  },
  { needs },
);

test(
  "an engine of nftables: its table is told the mark by a flag; with a rule on the mark it holds",
  async (t) => {
    const { sh, one } = machine(t);
    const chain = "ip docker-bridges filter-FORWARD";
    sh(`nft add table ip docker-bridges; nft add chain ${chain} '{ type filter hook forward priority 0; }'`);
    const down = await one("machine.engine-nftables");
    assert.match(down.fix ?? "", "--bridge-accept-fwmark=0x20000000/0x20000000");
    sh(`nft add rule ${chain} meta mark and 0x20000000 == 0x20000000 counter accept`);
    assert.is((await one("machine.engine-nftables")).holds, "yes");
  },
  { needs },
);

/** A machine on which all is well. */
const WELL: NetworkFacts = {
  ...{ netns: undefined, inaccessible: undefined, nftFailure: undefined },
  programs: new Set(["nft", "iptables", "ip6tables", "conntrack", "firewall-cmd"]),
  tables: new Set(["inet bulkhead_test_bridge"]),
  ...{ forwardChains: [], marked: new Set<string>(), natFamilies: new Set<4 | 6>([4, 6]) },
  filter: { 4: [], 6: [] },
  switches: new Map([
    [SWITCHES.forward4, "1"],
    [SWITCHES.forward6, "1"],
    [SWITCHES.disable6, "0"],
    [SWITCHES.bridged4, "1"],
    [SWITCHES.bridged6, "0"],
  ]),
  ...{ bridges: ["bh-b1"], trusted: undefined, vxlan: "loaded" },
};

/** The names of what does not hold, with the command. */
function down(facts: Partial<NetworkFacts>): readonly (readonly [name: string, fix: string | null])[] {
  return judgeNetwork({ ...WELL, ...facts }, demand).flatMap(({ name, holds, fix }) =>
    holds === "no" ? [[name, fix] as const] : [],
  );
}

function without(name: string): Set<string> {
  return new Set([...WELL.programs].filter((one) => one !== name));
}

test("what is not there is named with the package it comes in", () => {
  assert.equal(down({}), []);
  assert.equal(down({ programs: without("nft") }), [["machine.nft", "apt-get install nftables"]]);
  assert.equal(down({ programs: without("conntrack") }), [["machine.conntrack", "apt-get install conntrack"]]);
  // Without anything of iptables' there is nothing that its programs would mend.
  assert.equal(down({ programs: without("iptables") }), []);
  const tables = new Set([...WELL.tables, "ip filter"]);
  assert.equal(down({ programs: without("iptables"), tables }), [["machine.iptables", "apt-get install iptables"]]);
  const forwardChains = [{ family: "ip", table: "filter", name: "FORWARD", policy: "drop" }];
  assert.equal(
    down({ programs: without("iptables"), tables, forwardChains }).map(([name]) => name),
    ["machine.iptables", "machine.accept4", "machine.bridge-netfilter"],
  );
  assert.equal(down({ nftFailure: "Protocol not supported" }), [["machine.nft", "modprobe nf_tables"]]);
});

test("firewalld: our bridges are in the zone that accepts, each by its command", () => {
  const tables = new Set([...WELL.tables, "inet firewalld"]);
  assert.equal(down({ tables }), [["machine.firewalld", "systemctl restart firewalld"]]);
  assert.equal(down({ tables, trusted: ["docker0"] }), [
    ["machine.firewalld", "firewall-cmd --zone=trusted --change-interface=bh-b1"],
  ]);
  assert.equal(down({ tables, trusted: ["docker0", "bh-b1"] }), []);
});

test("bridge-netfilter: where the chains drop, packets within one network fall too, and the same command mends both", () => {
  const filter = { 4: ["-P FORWARD DROP", "-N DOCKER-USER", "-A FORWARD -j DOCKER-USER"], 6: [] };
  const found = down({ filter });
  assert.equal(
    found.map(([name]) => name),
    ["machine.accept4", "machine.bridge-netfilter"],
  );
  assert.is(found[0]?.[1], found[1]?.[1]);
  const switches = new Map([...WELL.switches, [SWITCHES.bridged4, "0"] as const]);
  assert.equal(
    down({ filter, switches }).map(([name]) => name),
    ["machine.accept4"],
  );
});

test("a user who may not look is told so; nothing is demanded where no firewall is granted", () => {
  const inaccessible = "this process has no CAP_NET_ADMIN (run it as root)";
  assert.equal(down({ inaccessible }), []);
  const told = judgeNetwork({ ...WELL, inaccessible }, demand).filter(({ evidence }) => evidence === inaccessible);
  assert.ok(told.length >= 5 && told.every(({ holds }) => holds === "skipped"));
  assert.ok(
    judgeNetwork({ ...WELL, programs: new Set(), vxlan: "absent" }, NO_DEMAND).every(({ demanded }) => !demanded),
  );
});

test("vxlan: a kernel without it, one that is not to be seen, and a policy that grants no such link", () => {
  const found = (vxlan: NetworkFacts["vxlan"], granted: boolean): CheckResult | undefined =>
    judgeNetwork({ ...WELL, vxlan }, { firewall: true, vxlan: granted }).find(({ name }) => name === "machine.vxlan");
  const [absent, unseen] = [found("absent", true), found("unseen", true)];
  assert.equal([absent?.holds, absent?.demanded], ["no", true]);
  assert.match(absent?.fix ?? "", "CONFIG_VXLAN");
  assert.equal([unseen?.holds, unseen?.fix], ["skipped", null]);
  assert.equal([found("loaded", true)?.holds, found("loadable", true)?.holds], ["yes", "yes"]);
  assert.is(found("absent", false)?.demanded, false);
  const demand = networkDemand({ plugins: { overlay: { grant: { netlink: { kinds: ["bridge", "vxlan"] } } } } });
  assert.is(demand.vxlan, true);
  assert.is(networkDemand({ plugins: { bridge: { grant: { netlink: { kinds: ["bridge"] } } } } }).vxlan, false);
});

test.run();
