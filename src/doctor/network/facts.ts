/** What is known of a network namespace: plain data, collected by `inspect.ts` or made by a test. */

/** An nftables base chain that forwarded packets pass. */
export interface ForwardChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly policy: string;
}

/** The parts of the machine's network that Bulkhead's Docker networks depend on. */
export interface NetworkFacts {
  /** The file of the namespace; undefined: the process's own. */
  readonly netns: string | undefined;
  /** Why nft, iptables and links could not be read; undefined: they were. */
  readonly inaccessible: string | undefined;
  /** The installed programs, by name. */
  readonly programs: ReadonlySet<string>;
  /** nft's error when it could not list chains; undefined: it could. */
  readonly nftFailure: string | undefined;
  /** nftables tables, as `FAMILY NAME`. */
  readonly tables: ReadonlySet<string>;
  readonly forwardChains: readonly ForwardChain[];
  /** Chains (`FAMILY TABLE NAME`) and engine's tables (`FAMILY NAME`) with a rule that accepts our mark. */
  readonly marked: ReadonlySet<string>;
  /** Families for which our tables masquerade or publish. */
  readonly natFamilies: ReadonlySet<4 | 6>;
  /** What `iptables -S` and `ip6tables -S` print of the table `filter`; empty if they have no rules. */
  readonly filter: Readonly<Record<4 | 6, readonly string[]>>;
  /** The kernel's switches that exist: `/proc/sys/…` to "0" or "1". */
  readonly switches: ReadonlyMap<string, string>;
  /** Bridges whose name begins with a granted prefix. */
  readonly bridges: readonly string[];
  /** The kernel's module vxlan: in use or built in, there to be loaded, not there, or not to be seen from here. */
  readonly vxlan: "loaded" | "loadable" | "absent" | "unseen";
  /** Interfaces in firewalld's trusted zone; undefined: it does not answer. */
  readonly trusted: readonly string[] | undefined;
}

/** The kernel's switches that are read. */
export const SWITCHES = {
  forward4: "/proc/sys/net/ipv4/ip_forward",
  forward6: "/proc/sys/net/ipv6/conf/all/forwarding",
  disable6: "/proc/sys/net/ipv6/conf/all/disable_ipv6",
  bridged4: "/proc/sys/net/bridge/bridge-nf-call-iptables",
  bridged6: "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
} as const;

/** The programs that list and change iptables' rules, by family. */
export const IPTABLES: Readonly<Record<4 | 6, keyof typeof PROGRAMS>> = { 4: "iptables", 6: "ip6tables" };

/** The programs needed, and their Debian packages. */
export const PROGRAMS = {
  nft: "nftables",
  iptables: "iptables",
  ip6tables: "iptables",
  conntrack: "conntrack",
  "firewall-cmd": "firewalld",
} as const;

/** The table of an engine with the nftables backend, in either family. */
export const ENGINE_TABLE = "docker-bridges";

/** firewalld's table. */
export const FIREWALLD_TABLE = "inet firewalld";
