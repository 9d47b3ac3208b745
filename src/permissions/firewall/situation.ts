/** What the rules of firewall requests judge by. Types only. */
import type { LinkView } from "../netlink/backend.js";
import type { PermissionRule } from "../rule.js";
import type { FirewallLimits } from "./grant.js";
import type { FirewallRow } from "./ledger.js";
import type { FirewallRule } from "./rule.js";

/** What a check may use. */
export interface Situation {
  readonly plugin: string;
  readonly limits: FirewallLimits;
  /** The subnets of the plugin's netlink grant. */
  readonly subnets: readonly string[];
  readonly links: ReadonlyMap<string, LinkView>;
  /** Returns the plugin that owns a link, according to ledger and kernel; undefined: the link is the machine's. */
  owner(link: string): string | undefined;
  /** Every plugin's rules. */
  readonly rows: readonly FirewallRow[];
}

/** One rule. */
export type Rule = PermissionRule<[rule: FirewallRule, situation: Situation]>;
