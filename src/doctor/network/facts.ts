/** What is known of a network namespace before anything is judged: plain data, made by `look.ts` or by a test. */

/** A base chain of nftables' that forwarded packets pass. */
export interface ForwardChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly policy: string;
}

/** The machine's network, as far as Docker networks of ours depend on it. */
export interface NetworkFacts {
  /** The namespace that was named, as its file; undefined: the process's own. */
  readonly netns: string | undefined;
  /** Why nft, iptables and links could not be looked at; undefined: they were. */
  readonly inaccessible: string | undefined;
  /** The programs that are there, by name. */
  readonly programs: ReadonlySet<string>;
  /** What nft said when it listed chains and failed; undefined: it did not fail. */
  readonly nftFailure: string | undefined;
  /** Tables of nftables', as `FAMILY NAME`. */
  readonly tables: ReadonlySet<string>;
  readonly forwardChains: readonly ForwardChain[];
  /** Chains of `forwardChains`, as `FAMILY TABLE NAME`, or an engine's tables, as `FAMILY NAME`, with a rule on our mark. */
  readonly marked: ReadonlySet<string>;
  /** Families for which tables of ours masquerade or publish. */
  readonly natFamilies: ReadonlySet<4 | 6>;
  /** What `iptables -S` and `ip6tables -S` print of the table `filter`; empty where nothing of theirs is there. */
  readonly filter: Readonly<Record<4 | 6, readonly string[]>>;
  /** The kernel's switches that there are, `/proc/sys/…` to "0" or "1". */
  readonly switches: ReadonlyMap<string, string>;
  /** Links of kind bridge whose name begins with a granted prefix. */
  readonly bridges: readonly string[];
  /** Interfaces in firewalld's trusted zone; undefined: it does not answer. */
  readonly trusted: readonly string[] | undefined;
}

/** The kernel's switches that are looked at. */
export const SWITCHES = {
  forward4: "/proc/sys/net/ipv4/ip_forward",
  forward6: "/proc/sys/net/ipv6/conf/all/forwarding",
  disable6: "/proc/sys/net/ipv6/conf/all/disable_ipv6",
  bridged4: "/proc/sys/net/bridge/bridge-nf-call-iptables",
  bridged6: "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
} as const;

/** The programs that list and change iptables' rules, by family. */
export const IPTABLES: Readonly<Record<4 | 6, keyof typeof PROGRAMS>> = { 4: "iptables", 6: "ip6tables" };

/** The programs that are looked for, and the Debian packages they come in. */
export const PROGRAMS = {
  nft: "nftables",
  iptables: "iptables",
  ip6tables: "iptables",
  conntrack: "conntrack",
  "firewall-cmd": "firewalld",
} as const;

/** An engine's table under its nftables backend, of either family. */
export const ENGINE_TABLE = "docker-bridges";

/** firewalld's table. */
export const FIREWALLD_TABLE = "inet firewalld";
