/** What a plugin can request of the firewall: three kinds of rule, each for one of its own bridges. */

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

/**
 * Drops traffic between this bridge and the plugin's others, and new connections from elsewhere except to a published port.
 * `internal`: drops all traffic in and out.
 */
export interface IsolateSpec {
  readonly bridge: string;
  readonly internal?: boolean;
}

/** One rule, as `rules()` lists it and `withdraw` takes it. */
export type FirewallRule =
  | ({ readonly kind: "masquerade" } & MasqueradeSpec)
  | ({ readonly kind: "publish" } & PublishSpec)
  | ({ readonly kind: "isolate" } & IsolateSpec);

/** Returns a rule's key: there is one rule per key, whatever its other fields. A published port's key is the port of the host. */
export function keyOf(rule: FirewallRule): string {
  switch (rule.kind) {
    case "masquerade":
      return `masquerade ${rule.bridge} ${rule.subnet}`;
    case "publish":
      return `publish ${rule.protocol} ${familyOfRule(rule)} ${rule.hostIP ?? "*"} ${rule.hostPort}`;
    case "isolate":
      return `isolate ${rule.bridge}`;
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

/** Returns the family of a rule's addresses; undefined if it has no addresses. */
export function familyOfRule(rule: FirewallRule): 4 | 6 | undefined {
  if (rule.kind === "isolate") return undefined;
  return (rule.kind === "publish" ? rule.ip : rule.subnet).includes(":") ? 6 : 4;
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
