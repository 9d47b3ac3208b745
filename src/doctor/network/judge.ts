/** Decides from the facts whether each check holds, and which command fixes it. */
import { ACCEPT_RULE } from "../../permissions/firewall/kernel/accept-rule.js";
import { ZONE } from "../../permissions/firewall/kernel/firewalld.js";
import { MARK_TEXT } from "../../permissions/firewall/kernel/mark-rules.js";
import { readTable } from "../../permissions/firewall/ledger.js";
import { ENGINE_TABLE, FIREWALLD_TABLE, IPTABLES, type NetworkFacts, PROGRAMS, SWITCHES } from "./facts.js";
import { ownersOf, placeOf, walkForward } from "./walk.js";

/** The result of a check. `fix`: the exact command, if it does not hold. */
export type Finding =
  | { readonly holds: "yes" | "skipped"; readonly evidence: string }
  | { readonly holds: "no"; readonly evidence: string; readonly fix: string };

/** Checks nftables, which carries all of the firewall's rules. */
export function judgeNft(facts: NetworkFacts): Finding {
  if (!facts.programs.has("nft")) return missing("nft");
  if (facts.inaccessible !== undefined) return skipped(facts.inaccessible);
  if (facts.nftFailure !== undefined) return no(`nft: ${facts.nftFailure}`, "modprobe nf_tables");
  return yes(`${facts.tables.size} table(s), ${oursOf(facts).length} of Bulkhead's`);
}

/** Checks iptables' programs, which insert our accept rule into an engine's or ufw's chains. */
export function judgeIptables(facts: NetworkFacts): Finding {
  const lacking = Object.values(IPTABLES).filter((name) => !facts.programs.has(name));
  const [first] = lacking;
  if (first === undefined) return yes("iptables and ip6tables are there");
  if (facts.inaccessible !== undefined) return skipped(facts.inaccessible);
  if (facts.tables.has("ip filter") || facts.tables.has("ip6 filter")) return missing(first);
  return skipped(`not installed: ${lacking.join(", ")}; not needed, since iptables has no rules`);
}

/** Checks whether iptables' chains accept what our networks forward. */
export function judgeAccept(facts: NetworkFacts, family: 4 | 6): Finding {
  if (facts.inaccessible !== undefined) return skipped(facts.inaccessible);
  const lines = facts.filter[family];
  const name = `${family === 4 ? "ip" : "ip6"} filter`;
  const dropping = facts.forwardChains.some(
    ({ family: of, table, policy }) => `${of} ${table}` === name && policy === "drop",
  );
  if (lines.length === 0) {
    if (!dropping) return yes("iptables has no rules here");
    return facts.marked.has(name) ? yes(`a rule accepts mark ${MARK_TEXT}`) : missing(IPTABLES[family]);
  }
  const fate = walkForward(lines);
  if (fate.is === "accepted") return yes(`a rule accepts mark ${MARK_TEXT} ahead of all that drops`);
  if (fate.is === "passed") return yes("no rule of its chain FORWARD drops, and its policy is ACCEPT");
  const owners = ownersOf(lines);
  const words = `${IPTABLES[family]} drops forwarded packets: ${fate.by}${owners.length > 0 ? ` (${owners.join(", ")})` : ""}`;
  if (oursOf(facts).length === 0) return skipped(`${words}; bulkhead serve accepts its own with its first rule`);
  return no(words, inside(facts, `${IPTABLES[family]} -I FORWARD ${placeOf(lines)} ${ACCEPT_RULE.join(" ")}`));
}

/** Checks firewalld, which drops forwarded packets unless the bridge's zone accepts them. */
export function judgeFirewalld(facts: NetworkFacts): Finding {
  if (facts.inaccessible !== undefined) return skipped(facts.inaccessible);
  if (!facts.tables.has(FIREWALLD_TABLE)) return yes("firewalld has no table here");
  if (!facts.programs.has("firewall-cmd")) return missing("firewall-cmd");
  const { trusted } = facts;
  if (trusted === undefined) return no("firewalld does not answer", "systemctl restart firewalld");
  const outside = facts.bridges.filter((bridge) => !trusted.includes(bridge));
  if (outside.length === 0) return yes(`every bridge of Bulkhead's is in its zone ${ZONE}`);
  const commands = outside.map((bridge) => `firewall-cmd --zone=${ZONE} --change-interface=${bridge}`);
  return no(`not in its zone ${ZONE}: ${outside.join(", ")}`, commands.join(" && "));
}

/** Checks an engine with the nftables backend: it has no chain for others' rules, and must be started with our mark. */
export function judgeEngineTables(facts: NetworkFacts): Finding {
  if (facts.inaccessible !== undefined) return skipped(facts.inaccessible);
  const there = [`ip ${ENGINE_TABLE}`, `ip6 ${ENGINE_TABLE}`].filter((name) => facts.tables.has(name));
  if (there.length === 0) return yes("no engine keeps its rules in nftables here");
  const unmarked = there.filter((name) => !facts.marked.has(name));
  if (unmarked.length === 0) return yes(`the engine accepts mark ${MARK_TEXT}`);
  return no(
    `the engine's table ${unmarked.join(", ")} does not accept mark ${MARK_TEXT}`,
    `start the engine with: dockerd --firewall-backend=nftables --bridge-accept-fwmark=${MARK_TEXT}`,
  );
}

/** Tables with a check of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...["ip filter", "ip6 filter", FIREWALLD_TABLE],
  ...[`ip ${ENGINE_TABLE}`, `ip6 ${ENGINE_TABLE}`],
]);

/** Checks other programs' chains whose policy is to drop. */
export function judgeOtherChains(facts: NetworkFacts): Finding {
  if (facts.inaccessible !== undefined) return skipped(facts.inaccessible);
  const others = facts.forwardChains.filter(
    ({ family, table, policy }) =>
      policy === "drop" &&
      ["ip", "ip6", "inet"].includes(family) &&
      !/^bulkhead[_-]/.test(table) &&
      !ELSEWHERE.has(`${family} ${table}`),
  );
  const named = others.map(({ family, table, name }) => `${family} ${table} ${name}`);
  const dropping = named.filter((name) => !facts.marked.has(name));
  if (dropping.length === 0) return yes("no other chain's policy drops forwarded packets of ours");
  const [value = "", mask = ""] = MARK_TEXT.split("/");
  const commands = dropping.map((chain) =>
    inside(facts, `nft insert rule ${chain} meta mark and ${mask} == ${value} accept`),
  );
  return no(`policy drop, and no rule for mark ${MARK_TEXT}: ${dropping.join(", ")}`, commands.join(" && "));
}

/** Checks that the kernel forwards packets of a family. */
export function judgeForwarding(facts: NetworkFacts, family: 4 | 6): Finding {
  const file = family === 4 ? SWITCHES.forward4 : SWITCHES.forward6;
  const value = facts.switches.get(file);
  if (value === "1") return yes(`${file} is 1`);
  if (value === undefined) return skipped(`${file} does not exist`);
  if (!facts.natFamilies.has(family))
    return skipped(`${file} is 0; bulkhead serve switches it on for the first network`);
  return no(`${file} is 0`, inside(facts, `sysctl -w ${sysctlName(file)}=1`));
}

/** Checks bridge-netfilter, under which packets between two containers of one network pass the FORWARD chains. */
export function judgeBridged(facts: NetworkFacts): Finding {
  const on = ([4, 6] as const).filter(
    (family) => facts.switches.get(family === 4 ? SWITCHES.bridged4 : SWITCHES.bridged6) === "1",
  );
  if (on.length === 0) return yes("bridged packets do not pass the FORWARD chains");
  const findings = on.map((family) => judgeAccept(facts, family));
  const bad = findings.find(({ holds }) => holds === "no") ?? findings.find(({ holds }) => holds === "skipped");
  const words = `bridge-nf-call is 1 for IPv${on.join(" and IPv")}`;
  if (bad === undefined) return yes(`${words}; the chains they pass accept ours`);
  return { ...bad, evidence: `${words}; ${bad.evidence}` };
}

/** Checks for conntrack, which removes connections to a container's former address. */
export function judgeConntrack(facts: NetworkFacts): Finding {
  return facts.programs.has("conntrack") ? yes("conntrack is there") : missing("conntrack");
}

/** Checks that IPv6 is on. */
export function judgeIPv6(facts: NetworkFacts): Finding {
  const value = facts.switches.get(SWITCHES.disable6);
  if (value === "0") return yes("IPv6 is on");
  if (value === undefined)
    return no("the kernel has no IPv6: networks have IPv4 alone", "boot the kernel without ipv6.disable=1");
  const fix = inside(facts, `sysctl -w ${sysctlName(SWITCHES.disable6)}=0`);
  return no(`${SWITCHES.disable6} is 1: networks have IPv4 alone`, fix);
}

/** Checks that the kernel has vxlan links, which carry packets between hosts. */
export function judgeVxlan({ vxlan }: NetworkFacts): Finding {
  switch (vxlan) {
    case "loaded":
      return yes("the kernel has vxlan links");
    case "loadable":
      return yes("the kernel loads its module vxlan with the first link");
    case "absent":
      return no(
        "the kernel has no vxlan links",
        "boot a kernel with CONFIG_VXLAN (Debian: apt-get install linux-image-amd64)",
      );
    case "unseen":
      return skipped("the kernel's modules cannot be seen from here");
  }
}

/** Lists the tables of all Bulkhead hosts. */
function oursOf({ tables }: NetworkFacts): readonly string[] {
  return [...tables].filter((name) => readTable(name.split(" ")[1] ?? "") !== undefined);
}

function yes(evidence: string): Finding {
  return { holds: "yes", evidence };
}

function skipped(evidence: string): Finding {
  return { holds: "skipped", evidence };
}

function no(evidence: string, fix: string): Finding {
  return { holds: "no", evidence, fix };
}

function missing(name: string): Finding {
  return no(`${name} is not installed`, `apt-get install ${PROGRAMS[name as keyof typeof PROGRAMS]}`);
}

/** Returns a command that runs `command` in the namespace that was read. */
function inside({ netns }: NetworkFacts, command: string): string {
  return netns === undefined ? command : `nsenter --net=${netns} ${command}`;
}

function sysctlName(file: string): string {
  return file.replace("/proc/sys/", "").replaceAll("/", ".");
}
