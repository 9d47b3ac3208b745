/** What a plugin can request of the firewall: rules, each for one of its own bridges. */

/** The protocols whose ports can be published. */
export const PROTOCOLS = ["tcp", "udp", "sctp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Gives traffic that leaves a bridge's network by another link that link's address, so that replies return. */
export interface MasqueradeSpec {
  readonly bridge: string;
  /** CIDR form, canonical: `10.64.1.0/24`. */
  readonly subnet: string;
}

/** Sends traffic to a port of the host to an address on a bridge. */
export interface PublishSpec {
  readonly bridge: string;
  readonly protocol: Protocol;
  /** An address of the host; absent: every address. A loopback address (127.0.0.0/8, ::1) can be reached only from the host itself. */
  readonly hostIP?: string;
  readonly hostPort: number;
  /** Plain, canonical. */
  readonly ip: string;
  readonly port: number;
}

/** A published port, and how the host holds it. */
export interface HostPort extends PublishSpec {
  /**
   * Set where another process, such as Podman's conmon, has bound the host's port: the loopback port at which the holder serves it
   * instead. Rules redirect to it what the host itself sends over loopback.
   */
  readonly aside?: number;
}

/**
 * Drops traffic between this bridge and the plugin's others, and new connections from elsewhere except to a published port.
 * `internal`: drops all traffic in and out. `outgoing: "allowed"`: drops all traffic that comes from the bridge, to the host itself too,
 * except replies and what `allow` and `resolve` let pass.
 */
export interface IsolateSpec {
  readonly bridge: string;
  readonly internal?: boolean;
  readonly outgoing?: "allowed";
}

/** Lets new connections pass from a bridge that is isolated with `outgoing: "allowed"`. An open connection outlives its rule. */
export interface AllowSpec {
  readonly bridge: string;
  /** An address, or a network in CIDR form; canonical. */
  readonly to: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** The last port of a range that begins at `port`. */
  readonly lastPort?: number;
  /**
   * Time to live, in seconds, for one address and one port: asking again extends it, `rules()` does not list it, and it ends with its
   * host. Absent: until it is withdrawn.
   */
  readonly seconds?: number;
}

/** Brings all that a bridge's containers send to port 53, over UDP and TCP, to one of the bridge's own addresses. */
export interface ResolveSpec {
  readonly bridge: string;
  /** Canonical. */
  readonly ip: string;
}

/**
 * Lets new connections pass between a bridge's subnet and the rest of a network, which lies behind one of the plugin's vxlans, and lets
 * nothing else pass to or from that vxlan: neither to other links nor to the host itself. Nothing of it is masqueraded.
 */
export interface ConnectSpec {
  readonly bridge: string;
  /** A vxlan of the plugin's own. */
  readonly tunnel: string;
  /** The bridge's part of `network`. CIDR form, canonical. */
  readonly subnet: string;
  /** The whole network: where packets from the tunnel may come from, and packets to it may go. */
  readonly network: string;
}

/** One rule, as `rules()` lists it and `withdraw` takes it. */
export type FirewallRule =
  | ({ readonly kind: "masquerade" } & MasqueradeSpec)
  | ({ readonly kind: "publish" } & PublishSpec)
  | ({ readonly kind: "isolate" } & IsolateSpec)
  | ({ readonly kind: "allow" } & AllowSpec)
  | ({ readonly kind: "resolve" } & ResolveSpec)
  | ({ readonly kind: "connect" } & ConnectSpec);

/** Returns a rule's key: there is one rule per key, whatever its other fields. A published port's key is the port of the host. */
export function keyOf(rule: FirewallRule): string {
  switch (rule.kind) {
    case "masquerade":
      return `masquerade ${rule.bridge} ${rule.subnet}`;
    case "publish":
      return `publish ${rule.protocol} ${familyOfRule(rule)} ${rule.hostIP ?? "*"} ${rule.hostPort}`;
    case "isolate":
      return `isolate ${rule.bridge}`;
    case "allow":
      return `allow ${rule.bridge} ${rule.to} ${rule.protocol} ${rule.port}-${rule.lastPort ?? rule.port}`;
    case "resolve":
      return `resolve ${rule.bridge} ${isSix(rule.ip) ? 6 : 4}`;
    case "connect":
      return `connect ${rule.bridge} ${rule.tunnel} ${rule.subnet}`;
  }
}

/** True if the two rules have the same content. */
export function sameRule(a: FirewallRule, b: FirewallRule): boolean {
  return textOf(a) === textOf(b);
}

function textOf(rule: FirewallRule): string {
  const fields = Object.entries(rule).filter(([, value]) => value !== undefined && value !== false);
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns the family for which a rule needs forwarding; undefined if it needs none. */
export function familyOfRule(rule: FirewallRule): 4 | 6 | undefined {
  if (rule.kind !== "publish" && rule.kind !== "masquerade" && rule.kind !== "connect") return undefined;
  return isSix(rule.kind === "publish" ? rule.ip : rule.subnet) ? 6 : 4;
}

/** True for an IPv6 address or network, in text form. */
export function isSix(text: string): boolean {
  return text.includes(":");
}

/** True for a rule that makes its bridge drop whatever is not allowed. */
export function confines(rule: FirewallRule): boolean {
  return rule.kind === "isolate" && rule.outgoing === "allowed";
}

/** True if two published ports conflict: both claim the same port of the same address. */
export function samePort(a: PublishSpec, b: PublishSpec): boolean {
  return (
    a.protocol === b.protocol &&
    a.hostPort === b.hostPort &&
    a.ip.includes(":") === b.ip.includes(":") &&
    (a.hostIP === undefined || b.hostIP === undefined || a.hostIP === b.hostIP)
  );
}
