/** The checks of the machine's network: what each reads, and whether a policy demands it. */
import type { CheckResult, CheckRow } from "../check-result.js";
import type { NetworkFacts } from "./facts.js";
import { inspectNetwork } from "./inspect.js";
import {
  type Finding,
  judgeAccept,
  judgeBridged,
  judgeConntrack,
  judgeEngineTables,
  judgeFirewalld,
  judgeForwarding,
  judgeIPv6,
  judgeIptables,
  judgeNft,
  judgeOtherChains,
  judgeVxlan,
} from "./judge.js";

interface NetworkCheck extends CheckRow {
  /** What does not work without this, if the policy grants it. */
  readonly needed: "firewall" | "vxlan" | null;
  judge(facts: NetworkFacts): Finding;
}

/** In the order they are listed. */
const NETWORK_CHECKS: readonly NetworkCheck[] = [
  { name: "machine.nft", tries: "list the rules of nftables", needed: "firewall", judge: judgeNft },
  { name: "machine.iptables", tries: "find iptables' programs", needed: "firewall", judge: judgeIptables },
  {
    name: "machine.accept4",
    tries: "follow a packet through iptables' FORWARD",
    needed: "firewall",
    judge: (facts) => judgeAccept(facts, 4),
  },
  {
    name: "machine.accept6",
    tries: "follow a packet through ip6tables' FORWARD",
    needed: "firewall",
    judge: (facts) => judgeAccept(facts, 6),
  },
  {
    name: "machine.firewalld",
    tries: "find our bridges in firewalld's zones",
    needed: "firewall",
    judge: judgeFirewalld,
  },
  {
    name: "machine.engine-nftables",
    tries: "find our mark in an engine's own tables",
    needed: "firewall",
    judge: judgeEngineTables,
  },
  {
    name: "machine.other-chains",
    tries: "find other chains that drop forwarded packets",
    needed: "firewall",
    judge: judgeOtherChains,
  },
  {
    name: "machine.forwarding4",
    tries: "read whether IPv4 is forwarded",
    needed: "firewall",
    judge: (facts) => judgeForwarding(facts, 4),
  },
  {
    name: "machine.forwarding6",
    tries: "read whether IPv6 is forwarded",
    needed: "firewall",
    judge: (facts) => judgeForwarding(facts, 6),
  },
  {
    name: "machine.bridge-netfilter",
    tries: "read what bridged packets pass",
    needed: "firewall",
    judge: judgeBridged,
  },
  { name: "machine.conntrack", tries: "find the program conntrack", needed: "firewall", judge: judgeConntrack },
  { name: "machine.ipv6", tries: "read whether IPv6 is on", needed: null, judge: judgeIPv6 },
  {
    name: "machine.vxlan",
    tries: "find the kernel's module for links between hosts",
    needed: "vxlan",
    judge: judgeVxlan,
  },
];

/** Returns the results for given facts. `granted`: what the policy grants. */
export function judgeNetwork(facts: NetworkFacts, granted: Omit<NetworkDemand, "prefixes">): readonly CheckResult[] {
  return NETWORK_CHECKS.map(({ name, tries, needed, judge }) => {
    const found = judge(facts);
    const { holds, evidence } = found;
    return {
      ...{ name, tries, demanded: needed !== null && granted[needed], holds, evidence },
      fix: found.holds === "no" ? found.fix : null,
    };
  });
}

/** What the checks need to know of a policy. */
export interface NetworkDemand {
  /** A plugin is granted a firewall. */
  readonly firewall: boolean;
  /** A plugin is granted links of kind vxlan. */
  readonly vxlan: boolean;
  /** Prefixes of the names of granted links. */
  readonly prefixes: readonly string[];
}

/** Checks a network namespace: a name, a path, or the process's own. Changes nothing and never rejects. */
export async function checkNetwork(
  netns: string | undefined,
  { prefixes, ...granted }: NetworkDemand,
): Promise<readonly CheckResult[]> {
  return judgeNetwork(await inspectNetwork(netns, prefixes), granted);
}
