/** What a plugin can have of a firewall: three kinds of rule, each about one bridge of its own. */

/** The protocols of which ports can be published. */
export const PROTOCOLS = ["tcp", "udp", "sctp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Traffic from a bridge's network that leaves by another link gets that link's address, and may so come back. */
export interface MasqueradeSpec {
  readonly bridge: string;
  /** CIDR form, canonical: `10.64.1.0/24`. */
  readonly subnet: string;
}

/** A port of the host's is answered by an address on a bridge. */
export interface PublishSpec {
  readonly bridge: string;
  readonly protocol: Protocol;
  /** An address of the host; absent: every one. One of loopback (127.0.0.0/8, ::1) is served to the host itself alone. */
  readonly hostIP?: string;
  readonly hostPort: number;
  /** Plain, canonical. */
  readonly ip: string;
  readonly port: number;
}

/**
 * Nothing passes between this bridge and any other of the plugin's, and nothing new comes in from elsewhere but by a published
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

/** What makes a rule the one it is: there is one rule per key, whatever else it says. Of a published port, the port of the host. */
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

/** True when the two say the same. */
export function sameRule(a: FirewallRule, b: FirewallRule): boolean {
  return textOf(a) === textOf(b);
}

function textOf(rule: FirewallRule): string {
  const fields = Object.entries(rule).filter(([, value]) => value !== undefined && value !== false);
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of which family a rule's addresses are; undefined where it has none. */
export function familyOfRule(rule: FirewallRule): 4 | 6 | undefined {
  if (rule.kind === "isolate") return undefined;
  return (rule.kind === "publish" ? rule.ip : rule.subnet).includes(":") ? 6 : 4;
}

/** True when of two published ports only one could be answered: the same port of an address both have. */
export function samePort(a: PublishSpec, b: PublishSpec): boolean {
  return (
    a.protocol === b.protocol &&
    a.hostPort === b.hostPort &&
    a.ip.includes(":") === b.ip.includes(":") &&
    (a.hostIP === undefined || b.hostIP === undefined || a.hostIP === b.hostIP)
  );
}
