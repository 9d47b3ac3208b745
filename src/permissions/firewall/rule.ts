/** What a plugin can ask of the firewall: three kinds of rule, each about one of its own bridges. */

/** The protocols whose ports can be published. */
export const PROTOCOLS = ["tcp", "udp", "sctp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Traffic from a bridge's network that leaves by another link gets that link's address, so that replies come back. */
export interface MasqueradeSpec {
  readonly bridge: string;
  /** CIDR form, canonical: `10.64.1.0/24`. */
  readonly subnet: string;
}

/** Traffic to a port of the host goes to an address on a bridge. */
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
 * Nothing passes between this bridge and the plugin's others, and new connections come in from elsewhere only by a published
 * port. `internal`: nothing passes in or out at all.
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

/** A rule's identity: there is one rule per key, whatever its other fields. A published port's key is the port of the host. */
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

/** The family of a rule's addresses; undefined where it has none. */
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
